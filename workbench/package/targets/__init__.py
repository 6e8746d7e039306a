"""Where a package can be served or made anew, one place a file."""
