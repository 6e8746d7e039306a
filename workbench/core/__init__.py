"""The ground everyone stands on: no third-party import but pydantic and numpy."""
