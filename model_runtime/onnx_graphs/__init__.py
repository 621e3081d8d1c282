"""Depth Anything 3 by ONNX Runtime, without torch: graphs made from presets, weights read where the checkpoint lies."""
