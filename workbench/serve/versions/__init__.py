"""Which versions of which models a server holds, and how it gets from one set of them to another."""
