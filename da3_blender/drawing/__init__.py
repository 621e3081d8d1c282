"""Splats drawn by the GPU: in viewports of Blenders without splats of their own, and as exact pictures anywhere."""
