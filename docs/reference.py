"""The reference pages, read from the declarations: settings, units, edges, public names, commands.

Nothing of it is kept in git: `make docs` writes it anew, so it says what the code says.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

import workbench
from workbench import cli
from workbench.compress.base import methods
from workbench.convert.base import converters
from workbench.convert.incoming.base import incoming
from workbench.core.settings import Settings
from workbench.core.settings_doc import facts_of
from workbench.datasets.base import SOURCES
from workbench.evaluate.runtimes.base import runtimes
from workbench.package.targets.base import targets
from workbench.pipeline.drill.faults.base import faults
from workbench.serve.engines.base import engines
from workbench.train.architectures.base import ARCHITECTURES
from workbench.train.recipes.base import RECIPES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workbench.core.plugins import Registry

_TUTORIALS = Path(__file__).parents[1] / "notebooks" / "tutorials"
# The faces' own plans are forms of what is declared elsewhere, the doors of the command line likewise.
_NO_SETTINGS_OF = ("panels", "widgets", "dashboards", "lessons", "cli", "report", "figures", "locale", "notebooks")
_SECTION = re.compile(r"^(Args|Attributes|Returns|Raises|Yields|Settings):$")
_WIDTH = 90
_PROSE = ("Returns", "Yields")
_CALL = re.compile(r"^workbench\.\w+\(\n.*?^\)[^\n]*\n+", re.MULTILINE | re.DOTALL)
_ENTRY = re.compile(r"^ {4}(\S[^:]*): (.*)$")
_UNITS: dict[str, Registry[Any]] = {
    "Data sets": SOURCES,
    "Networks": ARCHITECTURES,
    "Recipes of training": RECIPES,
    "Compression methods": methods,
    "Formats that go out": converters,
    "Kinds of models that come in": incoming,
    "Runtimes that answer for a format": runtimes,
    "Engines of the server": engines,
    "Targets of a package": targets,
    "Faults of the drill": faults,
}


def write(folder: Path) -> None:
    """Write all pages into a folder; a page that has not changed is left alone, so that a rebuild is short."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {f"{name}.md": text for name, text in pages().items()}
    for name, text in {**files, "tutorials.txt": "\n".join(tutorials())}.items():
        file = folder / name
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """Return each page's Markdown by its name."""
    made = {
        "settings": ("Settings", "Every declared group; forms, flags, files and sweeps are read from it.", settings()),
        "units": ("Units", "One file each, found by its name; packages of others may add to the kinds.", units()),
        "edges": ("Edges", "Every way between two formats and the program that goes it, the usual one first.", edges()),
        "python": ("Python", "Every public name of `import workbench as wb`.", names()),
        "commands": ("Commands", "Every command and its flags.", commands()),
    }
    return {name: "\n".join([f"# {title}", "", lead, "", *lines, ""]) for name, (title, lead, lines) in made.items()}


def tutorials() -> Iterator[str]:
    """Yield the table of the tutorials: what each is called and what it is for."""
    rows = []
    for path in sorted(_TUTORIALS.glob("*.ipynb")):
        first = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
        title = re.search(r"^# (.+)$", first, re.MULTILINE)
        goal = re.search(r"\*\*Goal\.\*\*(.+?)(?:\n\n|$)", first, re.DOTALL)
        rows.append((f"`{path.name}`", title[1] if title else path.stem, " ".join(goal[1].split()) if goal else ""))
    yield from _table(("notebook", "title", "goal"), rows)


def settings() -> Iterator[str]:
    """Yield a table for each group of settings."""
    for group in sorted(_groups(), key=lambda each: (each.__module__, each.__name__)):
        described = {name: info for name, info in group.model_fields.items() if info.description}
        if not described:
            continue
        yield from (f"## {group.__name__}", "", f"{_first(group)} (`{group.__module__}`)", "")
        rows = [(f"`{name}`", info.description or "", facts_of(info)) for name, info in described.items()]
        yield from _table(("setting", "means", "default, choices, bounds"), rows)


def units() -> Iterator[str]:
    """Yield a table for each kind of unit."""
    for title, registry in _UNITS.items():
        yield from (f"## {title}", "", f"Entry point group `lastmile_workbench.{registry.kind}`.", "")
        yield from _table(("name", "is"), [(f"`{name}`", _first(registry.get(name))) for name in registry.names()])


def edges() -> Iterator[str]:
    """Yield the table of edges."""
    rows = []
    for name in converters.names():
        unit = converters.get(name)
        for source in unit.sources:
            for numeric in unit.numerics:
                tools = ", ".join(tool.name for tool in unit.tools(source, numeric))
                rows.append((f"`{source}`", f"`{name}/{numeric}`", tools))
    yield from _table(("from", "to", "programs"), rows)


def names() -> Iterator[str]:
    """Yield a section for each public name."""
    for name in sorted(workbench.__all__, key=str.lower):
        thing = getattr(workbench, name)
        yield from (f"## {name}", "", "```text", f"wb.{name}{_signature(thing)}", "```", "")
        yield from _docstring(_written(thing))


def commands() -> Iterator[str]:
    """Yield a section for each command, groups before their own commands."""
    root = typer.main.get_command(cli.app)
    yield from _command("workbench", root)


def _command(name: str, command: Any) -> Iterator[str]:
    yield from (f"## {name}", "", _plain(command.help or ""), "")
    rows = []
    for each in command.params:
        default = each.default if isinstance(each.default, str | int | float) and each.default is not False else ""
        shown = ", ".join(each.opts) if each.param_type_name == "option" else each.name.upper()
        rows.append((f"`{shown}`", _plain(getattr(each, "help", "") or ""), f"`{default}`" if default != "" else ""))
    if rows:
        yield from _table(("flag", "means", "default"), rows)
    if hasattr(command, "list_commands"):
        for inner in command.list_commands(None):
            yield from _command(f"{name} {inner}", command.get_command(None, inner))


def _groups() -> set[type[Settings]]:
    for info in pkgutil.walk_packages(workbench.__path__, "workbench."):
        floor = info.name.split(".")[1]
        if floor not in (*_NO_SETTINGS_OF, "__main__"):
            importlib.import_module(info.name)
    return {each for each in _below(Settings) if each.__module__.split(".")[1] not in _NO_SETTINGS_OF}


def _below(group: type[Settings]) -> Iterator[type[Settings]]:
    for each in group.__subclasses__():
        if each.__module__.startswith("workbench.") and not inspect.isabstract(each):
            yield each
        yield from _below(each)


def _first(thing: Any) -> str:
    """Return the first line of what a class says of itself."""
    return _plain((inspect.getdoc(thing) or "").partition("\n")[0])


def _signature(thing: Any) -> str:
    try:
        shown = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(thing)))
    except (TypeError, ValueError):
        return ""
    return "(…)" if "<" in shown else _in_lines(shown)


def _in_lines(signature: str) -> str:
    """Return a long signature with a line a parameter."""
    if len(signature) <= _WIDTH:
        return signature
    made, depth = "", 0
    for at, sign in enumerate(signature):
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and depth == 1:
            made += ",\n   "
        elif (sign == "(" and at == 0) or (sign == ")" and depth == 0 and "\n" in made):
            made += "(\n    " if sign == "(" else ",\n)"
        else:
            made += sign
    return made


def _written(thing: Any) -> str:
    """Return a docstring, of a package that is a verb without the call in it: the signature stands above."""
    return _CALL.sub("", inspect.cleandoc(thing.__doc__ or ""))


def _docstring(text: str) -> Iterator[str]:
    """Yield a Google docstring as Markdown: its sections become lists."""
    entry, listed = "", False
    for line in text.splitlines():
        if section := _SECTION.match(line):
            yield from _ended(entry)
            entry, listed = "", section[1] not in _PROSE
            yield from (f"**{section[1]}**", "")
        elif listed and (found := _ENTRY.match(line)):
            yield from _ended(entry)
            entry = f"- `{found[1].lstrip('*')}`: {_plain(found[2])}"
        elif entry and line.startswith("     "):
            entry += f" {_plain(line.strip())}"
        else:
            yield from _ended(entry)
            entry = ""
            yield _plain(line.strip())
    yield from _ended(entry)
    yield ""


def _ended(entry: str) -> Iterator[str]:
    if entry:
        yield entry


def _plain(text: str) -> str:
    """Return text in which nothing but code in back quotes is markup."""
    parts = re.split(r"(`[^`]*`)", " ".join(text.split()))
    return "".join(part if part.startswith("`") else re.sub(r"([*_<>\[\]$])", r"\\\1", part) for part in parts)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield from (_row(head), _row(["---"] * len(head)), *map(_row, rows), "")


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
