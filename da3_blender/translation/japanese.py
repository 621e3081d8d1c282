"""What Blender shows of the add-on: labels, tooltips, names and choices, in Japanese."""

LABELS: dict[str, str] = {}
