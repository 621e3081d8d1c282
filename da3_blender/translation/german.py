"""What Blender shows of the add-on: labels, tooltips, names and choices, in German."""

LABELS: dict[str, str] = {}
