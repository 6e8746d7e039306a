"""What a handle to a server offers of rollouts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.core.records.rollout import RolloutReport
from workbench.serve.rollout.settings import RolloutSettings
from workbench.serve.store.gates import check_override

if TYPE_CHECKING:
    from workbench.core.records import Verdict
    from workbench.core.records.store import Override
    from workbench.serve.rollout.settings import RolloutRule
    from workbench.serve.store import Store
    from workbench.serve.watch import Watch

_SECONDS = 120.0


class Rollouts:
    """A new version is tried on live requests before it answers them all; a part of `Sandbox`."""

    _watch: Watch
    _store: Store

    @property
    def name(self) -> str:
        """Model name."""
        raise NotImplementedError

    def rollout(
        self,
        version: int | Artifact,
        percent: float = 10.0,
        *,
        shadow: bool = False,
        sticky: str = "x-client-id",
        pairs_percent: float = 10.0,
        rule: RolloutRule | None = None,
        verdict: Verdict | None = None,
        by: str = "",
    ) -> RolloutReport:
        """Try a new version beside the one that answers; no request fails for it.

        The version that answers meanwhile is the one that the store calls `stable` where the server holds it, else the
        newest other one. What is published while a rollout runs answers only who names it. Requests that name a version
        or a label go where they say.

        Args:
            version: One of the store's, or an artifact, which becomes the model's next version.
            percent: Share of the requests that name no version which it answers, in percent.
            shadow: No client sees its answers: it is given copies of `percent` of the requests, afterwards.
            sticky: HTTP header or gRPC metadata in small letters: who sends the same value is answered by the same
                version, and stays with the new one when its share grows.
            pairs_percent: Share of the requests that are run on both versions, for the comparison; of a shadow all
                copies are.
            rule: Decides by itself; without one `promote` or `abort` ends it.
            verdict: What the gate said to the artifact.
            by: Who does it, for the store's history.

        Returns:
            How it stands: nothing is compared yet.

        Raises:
            BadInputError: A setting is not allowed, or the artifact cannot be served.
            GateFailedError: The artifact did not pass its gate.
            ServingError: There is no such version or no other beside it, a rollout runs already, or the version cannot
                be served; all is as before then.
        """
        asked = RolloutSettings(percent=percent, shadow=shadow, sticky=sticky, pairs_percent=pairs_percent, rule=rule)
        if isinstance(version, Artifact):
            version = self._store.publish(version, self.name, verdict=verdict, by=by)
        if type(version) is not int:
            raise BadInputError.of("version", rule="must be a version number or an Artifact", got=version)
        return self._ask_rollout("rollout", version=version, settings=asked.model_dump(mode="json"), by=by)

    def comparison(self) -> RolloutReport:
        """Return how the rollout stands, or how the last one ended.

        Raises:
            ServingError: There was none, or the server does not answer.
        """
        return self._ask_rollout("comparison")

    def promote(self, why: str = "", *, override: Override | None = None, by: str = "") -> RolloutReport:
        """Let the new version answer all requests and be called `stable`.

        It answers until a newer one is published. Where the model has no stable version and the store may not call
        this one so, the report's `note` says why.

        Args:
            why: Kept in the store's history.
            override: Who calls a version stable that passed no gate, and why.
            by: Who does it.

        Raises:
            ServingError: No rollout runs, or the store refuses; the rollout goes on then.
        """
        check_override(override)
        answers = None if override is None else override.to_json()
        return self._ask_rollout("promote", why=why, by=by, override=answers)

    def abort(self, why: str = "", *, by: str = "") -> RolloutReport:
        """Let the stable version answer all requests, until a newer one than the refused is published.

        Args:
            why: Kept in the store's history.
            by: Who does it.

        Raises:
            ServingError: No rollout runs.
        """
        return self._ask_rollout("abort", why=why, by=by)

    def rollback(self, to: int | None = None, why: str = "", *, by: str = "") -> int:
        """Let an earlier version answer all requests again and be called `stable`; no request fails for it.

        A rollout that runs is aborted instead, where no version is named. The version answers until a newer one is
        published.

        Args:
            to: The version; None is the one that was stable before, or, where none ever was, the one before the one
                that answers.
            why: Kept in the store's history.
            by: Who does it.

        Returns:
            The version that answers now.

        Raises:
            ServingError: There is no such version, or it cannot be served; all is as before then.
        """
        return int(self._watch.ask("rollback", _SECONDS, to=to, why=why, by=by))

    @property
    def answering(self) -> int:
        """Version that answers who names none; of a rollout, the stable one.

        Raises:
            ServingError: The server does not answer.
        """
        return int(self._watch.ask("answering"))

    def _ask_rollout(self, what: str, **arguments: Any) -> RolloutReport:
        return RolloutReport.from_json(self._watch.ask(what, _SECONDS, **arguments))
