"""Logs: what programs write about their training, followed as it grows, without any change to the program."""
