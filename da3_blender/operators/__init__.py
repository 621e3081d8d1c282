"""Operators: each a few lines that call the plain functions scripts and tests call too."""

UNDOABLE = {"REGISTER", "UNDO"}

NOT_UNDOABLE: set[str] = set()
"""For operators that change nothing themselves and lead to one that does."""

ONLY_ONCE = {"UNDO"}
"""For operators that Adjust Last Operation must not run again."""
