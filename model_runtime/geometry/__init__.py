"""Cameras, rays, rotations, similarity alignment, spherical harmonics: pure functions that know no other room."""
