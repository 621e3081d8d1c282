"""Operators: each a few lines that call the plain functions scripts and tests call too."""

UNDOABLE = {"REGISTER", "UNDO"}
