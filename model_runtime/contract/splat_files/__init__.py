"""Files of Gaussian splats: one format a module, standard library and numpy only, so that Blender and the command line
read and write the same. `files` has the two functions that the rest of the house calls."""
