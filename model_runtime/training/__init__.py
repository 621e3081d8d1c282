"""Trains the networks on synthetic scenes; docs/training.md tells how.

`world` makes scenes, `rendering` photographs them, `learning` teaches networks by the photos, `runs` keeps a training
going, `studies` look at what came of it. `presets` has whole trainings by name.

A scene is all that is photographed; it is a room or outdoors. A layout says which of its ground is taken.
"""
