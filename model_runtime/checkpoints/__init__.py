"""From the name of a model to a loaded network: download, place, strict loading."""
