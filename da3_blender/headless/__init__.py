"""Photos in, a .blend out, no window: the command line."""
