"""The supervisor of serving workers: it owns the ports and the truth about versions, and keeps its workers alive."""
