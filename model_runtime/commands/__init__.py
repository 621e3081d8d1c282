"""The command line: one module for each command. Knows every other room; nobody knows it."""
