"""Sweeps: many experiments at once, on this machine or on a cluster, every one of them kept."""
