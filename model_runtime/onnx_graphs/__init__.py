"""Depth Anything 3 for ONNX Runtime, without torch: graphs made from a preset, weights read where the checkpoint lies."""
