"""What can be learnt here: each lesson is a few experiments, and what their numbers say."""
