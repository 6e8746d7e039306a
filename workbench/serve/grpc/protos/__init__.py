"""The messages of the protocols, written from their public descriptions, and what they compile to."""
