# bpy makes its types at run time and changes them with every release: to the type checker all of it is Any.
# What the add-on does with it is tested in real Blender, in every release it supports.
from typing import Any

def __getattr__(name: str) -> Any: ...
