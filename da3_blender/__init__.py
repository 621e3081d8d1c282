"""Photos in, a Blender scene out: the part of DA3 that runs inside Blender.

Importing this package, or any of its modules without `bpy`, does nothing and needs no Blender.
"""
