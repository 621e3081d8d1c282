"""The worker's process, its own environment, and the models on its machine. No bpy."""
