"""Looks at what was learnt: evaluation on held-out scenes, learning curves, the study of labels."""
