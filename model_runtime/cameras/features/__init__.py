"""Cameras from point features alone, without a network: SIFT (Lowe 2004) and COLMAP (Schönberger and Frahm 2016)."""
