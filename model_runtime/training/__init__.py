"""Synthetic rooms, losses and trainers for the networks."""
