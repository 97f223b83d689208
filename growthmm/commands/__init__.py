"""Commands: the flags of the command line and what each command does with them."""
