"""Insight: what it means."""
