"""Depth Anything 3 (Lin et al. 2025, arXiv 2511.10647): photos to depth, rays, cameras and Gaussians.

config            sizes of every preset
rotary, blocks    the transformer block
vision_transformer, reference_view, backbone      tokens of many views
uv_embedding, dpt                                 the trunk of the dense heads
dual_head, monocular_head, gaussian_head, camera  the heads
gaussian_adapter, sky                             from raw outputs to splats, and to depth with a sky
any_view, monocular, nested                       the three kinds of network
"""
