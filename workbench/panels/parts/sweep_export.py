"""A sweep as a file for the person at the page."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from workbench.panels.parts.sweep_answer import View, answer, columns

if TYPE_CHECKING:
    from workbench.sweep.handle import Sweep

_MEDIA = {"csv": "text/csv", "html": "text/html", "py": "text/x-python"}


def exported(handle: Sweep, form: str) -> tuple[str, bytes, str]:
    """Return a file's name, bytes and media type.

    Args:
        handle: The sweep.
        form: `csv`, `py` or `html`.
    """
    text = _page(handle) if form == "html" else handle.export(form)  # type: ignore[arg-type]
    return f"{handle.name}.{form}", text.encode(), _MEDIA[form]


def _page(handle: Sweep) -> str:
    """Return map and table as one page; plotly's own script is inside it."""
    import plotly.io

    found = answer(handle.points(), View(), {})
    figure = plotly.io.from_json(found.figure)
    figure.update_layout(paper_bgcolor="white")
    config = {"displaylogo": False, "showSendToCloud": False, "plotlyServerURL": "", "responsive": True}
    drawn = figure.to_html(full_html=False, include_plotlyjs=True, config=config)
    heads = "".join(f"<th>{html.escape(str(column['label']))}</th>" for column in columns())
    rows = "".join(f"<tr>{_cells(row)}</tr>" for row in found.rows)
    name = html.escape(handle.name)
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{name}</title><style>'
        "body{font:14px/1.45 system-ui,sans-serif;max-width:1100px;margin:24px auto;padding:0 16px;color:#1a212b}"
        "table{border-collapse:collapse;font-variant-numeric:tabular-nums}td,th{padding:3px 12px 3px 0;"
        "border-bottom:1px solid #e1e5ea;text-align:left}</style></head><body>"
        f"<h1>{name}</h1><p>{html.escape(found.summary)}</p>{drawn}"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></body></html>\n"
    )


def _cells(row: dict[str, Any]) -> str:
    return "".join(f"<td>{html.escape(str(row.get(column['name'], '')))}</td>" for column in columns())
