"""What the page around the panels says itself."""

from __future__ import annotations

from workbench.core.language import _, language


def page_words() -> dict[str, str]:
    """Return the sentences of the page's template and script, by what they are for."""
    return {
        "lang": language().replace("_", "-"),
        "skip": _("Skip to the panels"),
        "save": _("Save a copy"),
        "save_help": _("Save this page as it stands, as one file without a kernel"),
        "saved": _("Saved on {time}. Nothing on this page is live."),
        "dark": _("Dark"),
        "light": _("Light"),
        "to_dark": _("Switch to dark colours"),
        "to_light": _("Switch to light colours"),
        "script": _("This page needs JavaScript."),
        "loading": _("Loading the panels"),
        "failed": _("The dashboard could not start. Reload the page to try again."),
        "broken": _("This part of the page could not be drawn: {error}"),
    }
