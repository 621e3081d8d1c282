"""How good predictions are: cameras, surfaces, depth and novel views against scenes whose truth is known."""
