"""Widgets of the dashboard, one pane a file."""
