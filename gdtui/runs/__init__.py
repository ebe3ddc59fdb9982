"""What is kept: the store of runs, their names, what is exported from them."""
