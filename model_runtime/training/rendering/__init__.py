"""Photos of a scene, with exact depth and cameras: where cameras stand, what rays meet, light, and the camera."""
