"""Commands: what each word of the command line does; its docstring is what --help says of it."""
