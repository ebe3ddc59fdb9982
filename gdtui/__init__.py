"""gdtui: a gradient-descent laboratory for the terminal."""
