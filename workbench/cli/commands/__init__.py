"""The commands, each a module of its name whose `app` is a command or a group of them.

A new file here is a new command; only the one that is called is imported.
"""
