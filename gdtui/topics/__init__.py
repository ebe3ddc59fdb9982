"""Topics: what gdtui has to say of itself; the same words for `gdtui help TOPIC` and for the pages of `?`."""
