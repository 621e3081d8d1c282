"""Gaussian splats: from the network's head, or laid on surfaces."""
