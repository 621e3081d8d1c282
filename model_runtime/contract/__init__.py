"""What Blender and the worker both import: messages, the pipe, the catalogue, what files may be.

Standard library and numpy only; knows no other room.
"""
