"""Lets the tests of this folder import what they share, and what watches jobs."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "jobs")]
