"""Many shots on many machines, by Ray: one file says which, each shot's answer becomes one file."""
