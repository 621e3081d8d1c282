"""Where cameras come from: given, a COLMAP model, features of the photos, the network."""
