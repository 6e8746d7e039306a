"""Pieces that panels are put together from; a piece imports no panel."""
