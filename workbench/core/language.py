"""The language that pages speak: English, or a catalogue that lies in `workbench/locale`."""

from __future__ import annotations

import gettext
import os
from functools import cache
from pathlib import Path

from workbench.core.errors import BadInputError

LANGUAGES, VARIABLE = ("en", "zh_CN"), "WORKBENCH_LANG"
_PLACE, _DOMAIN = Path(__file__).parents[1] / "locale", "workbench"


class _Chosen:
    language: str | None = None
    suggested: str | None = None


def _(text: str) -> str:
    """Return a sentence of the interface in the language of the moment.

    Args:
        text: English, a literal, with `{name}` where values go; they are put in afterwards by `format`.
    """
    return _catalogue(language()).gettext(text) if text else ""


def N_(text: str) -> str:  # noqa: N802 - the name that gettext's users know
    """Mark a sentence that is translated later, where it is shown; return it as it is."""
    return text


def language() -> str:
    """Return the language of the moment.

    It is what `set_language` said, else what `WORKBENCH_LANG` says, else what was suggested, else English.
    """
    return _Chosen.language or _known(os.environ.get(VARIABLE, "")) or _Chosen.suggested or "en"


def set_language(name: str) -> str:
    """Have panels that are built from now on speak a language, and return its name.

    Args:
        name: Such as `en`, `zh_CN`, `zh-CN` or `zh`.

    Raises:
        BadInputError: There is no catalogue for it.
    """
    found = _known(name)
    if found is None:
        raise BadInputError.of("name", rule=f"must be one of {', '.join(LANGUAGES)}", got=name)
    _Chosen.language = found
    return found


def suggest_language(name: str) -> bool:
    """Speak what a reader's browser prefers, unless somebody has chosen; say whether that changes what is spoken."""
    before = language()
    _Chosen.suggested = _known(name)
    return language() != before


def _known(name: str) -> str | None:
    short = name.replace("-", "_").split(".")[0].lower()
    return next((each for each in LANGUAGES if short and each.split("_")[0] == short.split("_")[0]), None)


@cache
def _catalogue(name: str) -> gettext.NullTranslations:
    return gettext.translation(_DOMAIN, _PLACE, [name], fallback=True)
