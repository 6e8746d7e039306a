"""The same handler as a Ray Serve application, for more than one machine; needs the extra `[ray]`."""
