"""Files for other software out of what is seen: one module a format, standard library and numpy only, so that Blender
and the command line write the same files."""
