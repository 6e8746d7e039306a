"""Put what passed into the model store, with the gate's verdict beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator

from workbench.core.errors import BadInputError, GateFailedError
from workbench.core.records import GateLine, Published, Verdict
from workbench.core.settings import Settings
from workbench.evaluate.variant import DEPLOYED
from workbench.serve.settings import MODEL_NAME
from workbench.serve.store import Store, check_label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.core.artifact import Artifact
    from workbench.core.records import Variant
    from workbench.core.workspace import Workspace

Wanted = Literal["smallest", "onnx/float32", "tflite/float32", "tflite/int8", "saved_model/float32"]


class PublishSettings(Settings):
    """Where what passed goes."""

    name: str = Field(pattern=MODEL_NAME, description="name in the model store")
    model: Wanted = Field(
        "smallest", description="which of the models made: the one that is smallest gzip'd, or format/numeric type"
    )
    labels: tuple[str, ...] = Field((), description="labels that mean the new version from then on, such as canary")
    by: str = Field("", max_length=128, description="who publishes it; who runs the process where it is left out")

    @field_validator("labels")
    @classmethod
    def _named(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        for label in labels:
            check_label(label)
        return labels


def publish(
    artifact: Artifact, settings: PublishSettings, verdict: Verdict, workspace: Workspace, *, why: str = ""
) -> Published:
    """Publish a model that passed its gate, and let the labels mean it.

    Args:
        artifact: What to publish.
        settings: Under which name and labels.
        verdict: What the gate said of it.
        workspace: Whose store it goes to.
        why: Kept in the store's history.

    Raises:
        GateFailedError: It did not pass, or it does not load or answer where a label asks for that; then it is in
            the store without the label.
        BadInputError: It cannot be served.
        WorkspaceError: The store cannot be written.
    """
    store = Store.of(workspace)
    version = store.publish(artifact, settings.name, verdict=verdict, by=settings.by, why=why)
    for label in settings.labels:
        store.label(settings.name, label, version, by=settings.by, why=why)
    return Published(name=settings.name, version=version, labels=settings.labels, sha256=artifact.sha256)


def publish_passed(
    artifact: Artifact, settings: PublishSettings, verdict: Verdict, workspace: Workspace, *, why: str = ""
) -> tuple[Published | None, Verdict]:
    """Publish a model that passed, and let what the store refuses be one more rule that failed.

    So the report of a long run tells it, which an error would take along.

    Returns:
        What was published, None where it was refused; and the verdict.

    Raises:
        BadInputError: It cannot be served.
        WorkspaceError: The store cannot be written.
    """
    try:
        return publish(artifact, settings, verdict, workspace, why=why), verdict
    except GateFailedError as error:
        line = GateLine(rule="publish", limit=0, value=None, passed=False, reason=str(error))
        return None, Verdict(passed=False, lines=(*verdict.lines, line))


def chosen(wanted: Wanted, made: Iterable[tuple[Artifact, Variant]]) -> tuple[Artifact, Variant]:
    """Return which of the models made is to be published; of two of the same kind the later, more compressed one.

    Raises:
        BadInputError: None of them is what is wanted.
    """
    rows = list(made)
    if wanted == "smallest":
        served = [row for row in rows if row[0].format in DEPLOYED]
        return min(served, key=lambda row: row[1].sizes.gzip)
    meant = [row for row in rows if row[0].label == wanted]
    if not meant:
        made_here = ", ".join(dict.fromkeys(artifact.label for artifact, _ in rows))
        raise BadInputError.of("publish.model", rule=f"must be one of those made ({made_here})", got=wanted)
    return meant[-1]
