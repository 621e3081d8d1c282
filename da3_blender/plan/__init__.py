"""From a prediction to a plan of the scene: cameras, points, splats, surfaces, scale and up. Numpy, no bpy."""
