"""Pages speak English and Chinese: nothing is left untranslated, nothing is translated that nobody says."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import ipywidgets
import pytest

from tests import messages
from workbench.core import language
from workbench.core.errors import BadInputError
from workbench.core.language import _, set_language, suggest_language
from workbench.panels.train import TrainPanel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.core.workspace import Workspace

TRANSLATED = language.LANGUAGES[1:]
VISIBLE = ("title", "subtitle", "label", "empty", "text", "advanced_title", "row_title", "column_title", "placeholder")
SHOWN = ("label", "tooltip", "help", "hint", "placeholder", "detail")
# Written alike in every language: names of things, formats and units.
ALIKE = re.compile(r"[\W\d_]*|[a-z0-9_.]+|[A-Z]{1,3}|Python|.*⟦.*", re.DOTALL)


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language._Chosen, "language", None)
    monkeypatch.setattr(language._Chosen, "suggested", None)
    monkeypatch.delenv(language.VARIABLE, raising=False)


@pytest.fixture(scope="module")
def sentences() -> set[str]:
    return messages.all_sentences()


@pytest.mark.parametrize("name", TRANSLATED)
def test_every_sentence_is_translated_and_none_is_left_over(name: str, sentences: set[str]) -> None:
    known = {str(message.id): str(message.string or "") for message in messages.read_catalogue(name) if message.id}
    assert sentences - known.keys() == set(), "run: python -m tests.messages"
    assert known.keys() - sentences == set(), "run: python -m tests.messages"
    assert [text for text, said in known.items() if not said] == []


@pytest.mark.parametrize("name", TRANSLATED)
def test_translations_keep_the_places_for_values(name: str) -> None:
    for message in messages.read_catalogue(name):
        places = [set(re.findall(r"\{(\w*)[^}]*\}", str(text))) for text in (message.id, message.string)]
        assert places[0] == places[1], message.id


@pytest.mark.parametrize("name", TRANSLATED)
def test_what_is_shipped_is_what_was_translated(name: str) -> None:
    shipped = messages.catalogue_file(name).with_suffix(".mo").read_bytes()
    assert shipped == messages.compiled(messages.read_catalogue(name)), "run: python -m tests.messages"


def test_what_is_translated_is_a_literal_or_a_declaration() -> None:
    """A sentence that is put together before it is looked up is never found."""
    for face in messages.FACES:
        for path in (messages.PACKAGE / face).rglob("*.py"):
            for call in messages.calls(path):
                assert not isinstance(call.args[0], ast.JoinedStr | ast.BinOp), f"{path}: {ast.unparse(call)}"


@pytest.mark.parametrize("kind", messages.panels(), ids=lambda kind: kind.__name__)
def test_nothing_a_panel_shows_went_round_the_catalogue(
    kind: Any, fresh_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = messages.Recorder()
    monkeypatch.setattr(language, "_catalogue", lambda _name: recorder)
    panel = kind(workspace=fresh_workspace)
    plain = sorted({text for text in texts(panel) if not ALIKE.fullmatch(text)})
    panel.close()
    assert plain == []


def texts(widget: ipywidgets.Widget) -> Iterator[str]:
    """What a widget and those in it show, but for values."""
    if isinstance(widget, ipywidgets.Box):
        for child in widget.children:
            yield from texts(child)
        return
    for name in VISIBLE:
        value = getattr(widget, name, "")
        if isinstance(value, str):
            yield value
    for rows in ("actions", "columns", "tiles", "fields", "series"):
        for row in getattr(widget, rows, ()):
            if not isinstance(row, dict):
                continue  # names
            yield from (row[name] for name in SHOWN if isinstance(row.get(name), str))
            # What is chosen is often a name; a choice that is said otherwise than it is kept, is a sentence.
            yield from (
                choice["label"] for choice in row.get("choices", ()) if choice["label"].lower() != str(choice["value"])
            )


def test_a_panel_speaks_the_language_that_is_set(fresh_workspace: Workspace) -> None:
    for name, said in (("zh", "训练"), ("en", "Train")):
        set_language(name)
        panel = TrainPanel(workspace=fresh_workspace)
        assert panel.heading.title == said
        panel.close()


@pytest.mark.parametrize(
    ("given", "understood"), [("zh-CN", "zh_CN"), ("zh_Hans", "zh_CN"), ("ZH", "zh_CN"), ("en_US.UTF-8", "en")]
)
def test_languages_have_many_names(given: str, understood: str) -> None:
    assert set_language(given) == understood


def test_an_unknown_language_is_one_sentence() -> None:
    with pytest.raises(BadInputError, match=r"^name must be one of en, zh_CN, got 'tlh'\.$"):
        set_language("tlh")


def test_the_environment_says_which_language_a_kernel_speaks() -> None:
    code = "from workbench.core.language import _; print(_('Copy'))"
    for name, said in (("zh_CN", "复制"), ("", "Copy"), ("tlh", "Copy")):
        done = subprocess.run(
            [sys.executable, "-c", code], env={"WORKBENCH_LANG": name, "PYTHONIOENCODING": "utf-8"},
            capture_output=True, text=True, encoding="utf-8", check=True,
        )  # fmt: skip
        assert done.stdout.strip() == said


def test_what_a_browser_prefers_is_spoken_unless_somebody_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not suggest_language("de-DE")
    assert suggest_language("zh-CN")
    assert language.language() == "zh_CN"
    assert not suggest_language("zh")
    monkeypatch.setenv(language.VARIABLE, "en")
    assert language.language() == "en"
    set_language("zh")
    assert not suggest_language("en-GB")
    assert language.language() == "zh_CN"


def test_english_needs_no_catalogue() -> None:
    assert _("a sentence that nobody translated") == "a sentence that nobody translated"
