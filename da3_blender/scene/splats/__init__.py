"""Gaussian splats as Blender objects: how they are kept, and what shows them in renders."""
