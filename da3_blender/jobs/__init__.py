"""A job's request, made and stored, and its way to the placed scene."""
