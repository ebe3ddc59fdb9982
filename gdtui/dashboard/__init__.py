"""Dashboard: what is seen."""
