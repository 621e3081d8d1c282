"""Operators: each a few lines that call the plain functions scripts and tests call too."""

UNDOABLE = {"REGISTER", "UNDO"}

ONLY_ONCE = {"UNDO"}
"""For operators that Adjust Last Operation must not run again."""
