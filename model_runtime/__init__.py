"""Depth Anything 3 outside Blender: the network, the worker process and what they share with the add-on."""

__version__ = "0.1.0"
