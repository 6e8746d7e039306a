"""One HTML file of a template and figures; it opens offline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import plotly.graph_objects as go

_CONFIG = {
    "displayModeBar": False,
    "displaylogo": False,
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "responsive": True,
}


def render_page(template: str, figures: Mapping[str, go.Figure], **values: Any) -> str:
    """Return a page.

    Args:
        template: Name of a template beside this file; it is given `figures` (HTML by name) and `plotly_js`.
        figures: By the names that the template has for them.
        **values: What else it is given; text in it is escaped.
    """
    from jinja2 import Environment, PackageLoader
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    environment = Environment(loader=PackageLoader("workbench.report", "."), autoescape=True)
    page: str = environment.get_template(template).render(
        **values,
        figures={
            name: Markup(figure.to_html(full_html=False, include_plotlyjs=False, config=_CONFIG))  # noqa: S704 - plotly's own
            for name, figure in figures.items()
        },
        plotly_js=Markup(get_plotlyjs()),  # noqa: S704 - the script of the installed package
    )
    return page
