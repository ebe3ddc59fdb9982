"""Descent: how it is minimised."""
