"""The verb: from an artifact to one archive."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from workbench.core.artifact import MANIFEST, gzip_length
from workbench.core.checks import require_artifact, require_whole
from workbench.core.errors import BadInputError, GateFailedError
from workbench.core.records import Evaluation, Override, Sizes, Verdict
from workbench.core.records.package import ModelCard
from workbench.package.archive import chunks_of, write_archive
from workbench.package.card_text import card_text
from workbench.package.checks import NO_VERDICT, write_sums
from workbench.package.facts import CARD, FACTS, MAX_VERSION, SIGNATURE, SUMS, VERDICT, PackageFacts, require_name
from workbench.package.model_files import model_files
from workbench.package.readme import readme
from workbench.package.targets.base import targets

if TYPE_CHECKING:
    import os

    from workbench.core.artifact import Artifact
    from workbench.package.archive import Content

_SUFFIX = ".tar.gz"
_Judged = tuple[Verdict | None, Override | None, Evaluation | None]


def package(
    artifact: Artifact,
    path: str | os.PathLike[str] | None = None,
    *,
    verdict: Verdict | None = None,
    override: Override | None = None,
    evaluation: Evaluation | None = None,
    name: str = "model",
    version: int = 1,
    sign: str | os.PathLike[str] | None = None,
) -> Path:
    """Write a model and all that serving it elsewhere takes into one archive.

    It holds the model in TensorFlow Serving's layout with its manifest, sums of all files, a model card, the gate's
    verdict, a client, and what containers, Kubernetes, KServe and a CI need. Its bytes follow from what it holds: the
    same model packed again is the same archive, unless it is signed.

    Args:
        artifact: An ONNX, TFLite, SavedModel or packed artifact.
        path: The archive, or a folder for it; None is `<name>-<version>.tar.gz` in the working folder. One that is
            there is replaced.
        verdict: What the gate said; None says that no gate was asked.
        override: Who answers for a model that the gate refused, and why; its card says so.
        evaluation: How this very model answers, for its card.
        name: Model name in URLs.
        version: Its number.
        sign: Private key (PEM) to sign with; needs the extra `sign`.

    Returns:
        The archive; `workbench.verify` checks it.

    Raises:
        BadInputError: The format cannot be served, a name may not be used, the evaluation is of another model, or the
            key cannot sign.
        GateFailedError: The gate refused the model.
        WorkspaceError: The model was changed since its manifest was written, or the archive cannot be written.
        MissingExtraError: It is to be signed and `model-signing` is not installed.
    """
    require_artifact(artifact)
    require_whole("version", version, least=0, most=MAX_VERSION)
    _require_judged(artifact, verdict, override, evaluation)
    model = model_files(artifact)
    facts = PackageFacts(
        name=require_name(name), version=int(version), format=cast("Any", artifact.format), numeric=artifact.numeric,
        file="" if artifact.format == "saved_model" else artifact.file, sha256=artifact.sha256,
        workbench=installed("lastmile-workbench"),
    )  # fmt: skip
    files = _files(artifact, facts, model, _card(artifact, facts, model, (verdict, override, evaluation)))
    sums = {each: _sha256(content) for each, content in files.items()}
    files[SUMS] = write_sums(sums)
    if sign is not None:
        from workbench.package.signing import sign as signed

        files[SIGNATURE] = signed(files, Path(sign).expanduser())
    return write_archive(_place(path, facts), facts.top, files, sums)


def _require_judged(
    artifact: Artifact, verdict: Verdict | None, override: Override | None, evaluation: Evaluation | None
) -> None:
    if verdict is not None and not isinstance(verdict, Verdict):
        raise BadInputError.of("verdict", rule="must be a Verdict or None", got=verdict, hint="`Gate.check` gives one")
    if evaluation is not None and not isinstance(evaluation, Evaluation):
        raise BadInputError.of(
            "evaluation", rule="must be an Evaluation or None", got=evaluation, hint="`workbench.evaluate` gives one"
        )
    if evaluation is not None and evaluation.model != artifact.sha256:
        raise BadInputError.of(
            "evaluation", rule=f"must be of the model that is packed, {artifact.sha256[:12]}…",
            got=evaluation.model[:12],
            hint="evaluate the artifact itself with `workbench.evaluate(artifact, data)`",
        )  # fmt: skip
    if verdict is not None and not verdict.passed and override is None:
        raise GateFailedError(
            f"The gate refused this model: {verdict.reasons} Give an Override(who, why) to pack it nevertheless."
        )


def _card(artifact: Artifact, facts: PackageFacts, model: dict[str, Path], judged: _Judged) -> ModelCard:
    verdict, override, evaluation = judged
    return ModelCard(
        name=facts.name, version=facts.version, format=artifact.format, numeric=artifact.numeric,
        model=artifact.sha256, parent=artifact.parent, created=artifact.created, sizes=_sizes(model),
        evaluation=evaluation, verdict=verdict, override=override, settings=_without_places(artifact.settings),
        versions=artifact.versions, cpu=artifact.cpu, seed=artifact.seed,
    )  # fmt: skip


def _sizes(model: dict[str, Path]) -> Sizes:
    return Sizes(
        raw=sum(path.stat().st_size for path in model.values()),
        gzip=sum(gzip_length(path.read_bytes()) for path in model.values()),
    )


def _files(artifact: Artifact, facts: PackageFacts, model: dict[str, Path], card: ModelCard) -> dict[str, Content]:
    files: dict[str, Content] = {f"{facts.folder}/{each}": path for each, path in model.items()}
    manifest = artifact.model_dump(mode="json", exclude={"folder"})
    files[f"{facts.folder}/{MANIFEST}"] = _json(_without_places(manifest))
    files[FACTS] = _json(facts.to_json())
    files[CARD] = _json(card.to_json())
    files[VERDICT] = _json(card.verdict.to_json() if card.verdict else NO_VERDICT)
    files["MODEL_CARD.md"] = card_text(card).encode()
    files["README.md"] = readme(facts).encode()
    files["client.py"] = (Path(__file__).parent / "client.py").read_bytes()
    for each in targets.names():
        files |= {path: text.encode() for path, text in targets.get(each)().files(facts, card).items()}
    return files


def _without_places(value: Any) -> Any:
    """Return JSON whose absolute paths are names: where files lay on the maker's machine is nobody's business."""
    if isinstance(value, dict):
        return {key: _without_places(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_places(each) for each in value]
    return Path(value).name if isinstance(value, str) and value.startswith(("/", "~/")) else value


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def _sha256(content: Content) -> str:
    total = hashlib.sha256()
    for chunk in chunks_of(content):
        total.update(chunk)
    return total.hexdigest()


def _place(path: str | os.PathLike[str] | None, facts: PackageFacts) -> Path:
    place = Path(path if path is not None else ".").expanduser().absolute()
    if place.is_dir():
        return place / f"{facts.top}{_SUFFIX}"
    if not place.name.endswith((_SUFFIX, ".tgz")):
        raise BadInputError.of("path", rule=f"must be a folder, or end in {_SUFFIX}", got=str(path))
    return place
