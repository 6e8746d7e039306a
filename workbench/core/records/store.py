"""What happened to the models of a store, and how its versions stand."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from workbench.core.errors import BadInputError
from workbench.core.records.base import Record

Action = Literal["publish", "label", "unlabel", "rollback", "delete", "export"]
GateWord = Literal["passed", "overridden", "ungated"]


class Override(Record):
    """Somebody lets a model through that no gate passed.

    Attributes:
        who: The person or program that answers for it.
        why: The reason, which the history keeps.
    """

    who: str
    why: str

    @field_validator("who", "why")
    @classmethod
    def _said(cls, text: str) -> str:
        if not text.strip():
            raise BadInputError.of("override", rule="must say who let the model through and why", got=text)
        return text.strip()


class StoreChange(Record):
    """One line of a model's history.

    Attributes:
        time: UTC, ISO 8601.
        action: What was done.
        version: The version it was done to; of a label the one it means since.
        label: Which label moved; empty where none did.
        previous: Version that the label meant before; None where it was new.
        who: Who did it.
        why: The reason that was given; may be empty.
        gate: How the model came past the gate; None where the change asked none.
        verdict: The gate's word in short; empty where there was none.
        sha256: Content address of the model that was published; empty for other changes.
    """

    time: str
    action: Action
    version: int
    label: str = ""
    previous: int | None = None
    who: str = ""
    why: str = ""
    gate: GateWord | None = None
    verdict: str = ""
    sha256: str = ""

    @property
    def sentence(self) -> str:
        """The change in words, without its time."""
        said = {
            "publish": f"version {self.version} published, {self.gate}",
            "label": f"{self.label} means version {self.version}",
            "unlabel": f"{self.label} is taken from version {self.version}",
            "rollback": f"{self.label} is rolled back to version {self.version}",
            "delete": f"version {self.version} deleted",
            "export": f"version {self.version} exported",
        }[self.action]
        if self.previous is not None and self.action in ("label", "rollback"):
            said += f", before {self.previous}"
        if self.gate == "overridden" and self.action != "publish":
            said += ", overridden"
        reasons = "; ".join(part for part in (self.verdict, self.why) if part)
        return f"{said} (by {self.who or 'somebody'}{f': {reasons}' if reasons else ''})"


class StoredVersion(Record):
    """How one version of a model stands in its store.

    Attributes:
        version: Its number.
        labels: Those that mean it, sorted.
        gate: How it came past the gate; `ungated` where the history knows of none.
        format: Of its file; empty where it was laid there without a manifest of ours.
        numeric: Numeric type of its weights; empty where `format` is.
        sha256: Content address of its file; empty where `format` is.
        created: When the model was made, UTC; empty where `format` is.
    """

    version: int
    labels: tuple[str, ...] = ()
    gate: GateWord = "ungated"
    format: str = ""
    numeric: str = ""
    sha256: str = ""
    created: str = ""
