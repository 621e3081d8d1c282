"""Depth maps fitted to points, and fused into one surface."""
