"""Find the dashboards' notebooks: inside an installed wheel, or beside the package in a checkout."""

from __future__ import annotations

from pathlib import Path

from workbench.core.errors import BadInputError

_PACKAGE = Path(__file__).parents[1]
_PLACES = (_PACKAGE / "notebooks" / "dashboards", _PACKAGE.parent / "notebooks" / "dashboards")


def names() -> tuple[str, ...]:
    """Return the names of all dashboards."""
    return tuple(sorted({path.stem for place in _PLACES for path in place.glob("*.ipynb")}))


def find(name: str) -> Path:
    """Return a dashboard's notebook.

    Raises:
        BadInputError: There is no dashboard of that name.
    """
    for place in _PLACES:
        if name in names() and (place / f"{name}.ipynb").is_file():
            return place / f"{name}.ipynb"
    raise BadInputError.of("dashboard", rule=f"must be one of {', '.join(names()) or 'none'}", got=name)
