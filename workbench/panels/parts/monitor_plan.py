"""What the monitoring panel sets, how its controls look, and the Python that says the same."""

from __future__ import annotations

import ast
from typing import Any

from pydantic import Field, field_validator

from workbench.core.errors import BadInputError
from workbench.core.language import _
from workbench.core.settings import Settings
from workbench.monitor.alarms.rule import Rule, default_rules
from workbench.monitor.drift.settings import DriftSettings
from workbench.monitor.settings import MonitorSettings
from workbench.panels.parts.arguments import arguments_in
from workbench.panels.parts.servers import ServerName  # noqa: TC001 - pydantic reads it
from workbench.panels.parts.serving_plan import like

SHOWN = ("server", "drift", "react")
_BETWEEN = "; "
_WATCH = ("seconds", "recent_seconds", "min_requests", "labelled", "min_labels")
_DRIFT = ("window", "stride", "false_alarms_a_day", "tolerance")


def rule_text(rule: Rule) -> str:
    """Return a rule in the words that `Rule.of` reads."""
    often = f" for {rule.for_windows}" if rule.for_windows > 1 else ""
    return f"{rule.metric} {rule.direction} {rule.limit:g}{often}"


class MonitorPlan(Settings):
    """Which server is watched, by what rules, and what one look takes into account."""

    server: ServerName = Field(default="", description="a server of this workspace that runs")
    drift: bool = Field(default=True, description="compare what is asked with what the model was trained on")
    rules: str = Field(
        default=_BETWEEN.join(rule_text(rule) for rule in default_rules()),
        description="when there is an alarm, such as p95_ms above 50 for 3; semicolons between rules",
    )
    react: bool = Field(
        default=False, description="go back to the version before where a new one does badly, while this page is open"
    )
    seconds: float = like(MonitorSettings, "seconds")
    recent_seconds: float = like(MonitorSettings, "recent_seconds")
    min_requests: int = like(MonitorSettings, "min_requests")
    labelled: int = like(MonitorSettings, "labelled")
    min_labels: int = like(MonitorSettings, "min_labels")
    window: int = like(DriftSettings, "window")
    stride: int = like(DriftSettings, "stride")
    false_alarms_a_day: float = like(DriftSettings, "false_alarms_a_day")
    tolerance: float = like(DriftSettings, "tolerance")

    @field_validator("rules")
    @classmethod
    def _are_rules(cls, text: str) -> str:
        wrong = wrong_rules(texts_in(text))
        if wrong:
            raise BadInputError(f"rules: {next(iter(wrong.values()))}")
        return text


def texts_in(rules: str) -> list[str]:
    """Return the rules one by one."""
    return [text.strip() for text in rules.split(_BETWEEN.strip()) if text.strip()]


def joined(texts: list[str]) -> str:
    """Return the rules as the form holds them."""
    return _BETWEEN.join(texts)


def wrong_rules(texts: list[str]) -> dict[str, str]:
    """Return what is wrong with each text that is no rule, or that watches what another one does."""
    wrong: dict[str, str] = {}
    titles: set[str] = set()
    for text in texts:
        try:
            title = Rule.of(text).title
        except BadInputError as error:
            wrong[text] = str(error)
            continue
        if title in titles:
            wrong[text] = _("Another rule says this already.")
        titles.add(title)
    return wrong


def rules_of(plan: dict[str, Any]) -> tuple[Rule, ...]:
    """Return the rules of a plan.

    Raises:
        BadInputError: One of them is none.
    """
    return tuple(Rule.of(text) for text in texts_in(plan["rules"]))


def watch_settings(plan: dict[str, Any]) -> MonitorSettings:
    """Return what one look takes into account."""
    return MonitorSettings.parse({name: plan[name] for name in _WATCH})


def drift_settings(plan: dict[str, Any]) -> DriftSettings:
    """Return how requests are compared."""
    return DriftSettings.parse({name: plan[name] for name in _DRIFT})


def code_of(plan: dict[str, Any], model: str, data: str) -> str:
    """Return the Python that watches the same.

    Args:
        plan: What the controls hold.
        model: Folder of the model whose training data is the reference.
        data: Python expression of that data.
    """
    usual = MonitorPlan().model_dump()
    rules = ", ".join(f"wb.Rule.of({text!r})" for text in texts_in(plan["rules"]))
    lines = ["import workbench as wb\n", f"server = wb.attach_server({plan['server']!r})"]
    arguments = ["server"]
    if plan["drift"]:
        lines.append(f"reference = wb.Reference.of(wb.Artifact.load({model!r}), {data})")
        arguments.append("reference")
    arguments.append(f"rules=[{rules}]")
    for argument, kind, names in (("settings", "MonitorSettings", _WATCH), ("drift", "DriftSettings", _DRIFT)):
        changed = ", ".join(f"{name}={plan[name]!r}" for name in names if plan[name] != usual[name])
        if changed:
            arguments.append(f"{argument}=wb.{kind}({changed})")
    lines.append(f"monitor = wb.Monitor({', '.join(arguments)})")
    if plan["react"]:
        lines.append("loop = wb.Loop(server, monitor, wb.ReactionSettings(retrain=False))")
    lines.append("print(loop.step())" if plan["react"] else "print(monitor.check())")
    return "\n".join(lines) + "\n"


def plan_in(text: str) -> dict[str, Any]:
    """Read what the controls held out of code like `code_of` gives.

    Raises:
        BadInputError: It is no Python, or names no server.
    """
    plan = arguments_in(text, "attach_server", ("server",))
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    named = {ast.unparse(call.func).split(".", maxsplit=1)[-1] for call in calls}
    for kind in ("MonitorSettings", "DriftSettings"):
        if kind in named:
            plan |= arguments_in(text, kind)
    said = [call.args[0] for call in calls if ast.unparse(call.func).endswith("Rule.of") and call.args]
    rules = [one.value for one in said if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return {**plan, "drift": "Reference.of" in named, "react": "Loop" in named, "rules": joined(rules)}


def looks() -> dict[str, dict[str, Any]]:
    """Return what the declarations cannot say."""
    return {
        "server": {
            "kind": "choice",
            "choices": [],
            "label": _("Server"),
            "optional": True,
            "placeholder": _("none runs"),
        },
        "drift": {"label": _("Look for drift")},
        "react": {"label": _("Roll back by itself")},
    }
