"""Training: what other people's programs train, as they record it or as their logs tell."""
