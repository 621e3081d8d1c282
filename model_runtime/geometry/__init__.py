"""Cameras, rays, rotations, similarity alignment, spherical harmonics and surface splats."""
