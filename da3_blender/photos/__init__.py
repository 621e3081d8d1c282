"""Photos on the disk and in the list, and cameras of theirs that are known already."""
