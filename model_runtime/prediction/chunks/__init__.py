"""Many photos, a chunk at a time: what the network saw of overlapping chunks becomes one world."""
