"""Which of two versions answers a request, and what is seen of both, in one worker."""

from __future__ import annotations

import threading
import time
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from workbench.serve.arrival import SHADOW, Arrival, arrived
from workbench.serve.rollout.copies import Copies
from workbench.serve.rollout.route import Route, is_turn
from workbench.serve.rollout.tally import Tally, is_clients_fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from workbench.serve.models import Models, Target
    from workbench.serve.request_log import RequestLog
    from workbench.serve.servable import Servable

    Arrays = Mapping[str, np.ndarray[Any, Any]]
    Outcome = Arrays | Exception | None


class _Live:
    def __init__(self, route: Route) -> None:
        self.route = route
        self.tally = Tally()
        self.lock = threading.Lock()  # copies are counted in their thread
        self.turn = 0
        self.answered = 0


class Traffic:
    """Does nothing, and costs nothing, while no rollout runs; its calls belong to one event loop.

    Attributes:
        live: Rollouts that run, by model; empty where none does.
    """

    def __init__(self, models: Models, log: RequestLog | None = None) -> None:
        """Know the versions.

        Args:
            models: What is served.
            log: Where copies are noted; None where requests are not.
        """
        self.live: dict[str, _Live] = {}
        self._models = models
        self._log = log
        self._copies = Copies()

    def set(self, name: str, route: Route | None) -> None:
        """Send a model's requests another way from now on; the same way again changes nothing."""
        self._models.set_route(name, route)
        if route is None or route.canary is None:
            self.live.pop(name, None)
        elif name not in self.live or self.live[name].route != route:
            self.live[name] = _Live(route)

    def pick(self, target: Target) -> Servable:
        """Return the version that answers a request for an inference.

        Raises:
            RequestError: As of `Models.find`.
        """
        usual, live = self._models.find(target), self.live.get(target.name)
        if live is None or live.route.shadow or target.version is not None or target.label is not None:
            return usual
        arrival = arrived()
        key = "" if arrival is None else arrival.header(live.route.sticky)
        if not key:
            live.turn += 1
        canary = self._version(target.name, live.route.canary) if live.route.picks_canary(key, live.turn) else None
        return canary or usual

    def note(
        self, servable: Servable, signature: str, feeds: Arrays, outcome: Outcome, begun: float, ended: float
    ) -> None:
        """Count what became of a request, and have some answered by the other version too."""
        live = self.live.get(servable.name)
        if live is None or outcome is None or servable.version not in (live.route.stable, live.route.canary):
            return
        route, side = live.route, int(servable.version == live.route.canary)
        if route.shadow and side:
            return  # somebody asked for it by its number
        error = outcome if isinstance(outcome, Exception) else None
        with live.lock:
            # Times of a shadow are those of copies, which wait for nobody.
            live.tally.count(side, 0.0 if route.shadow else ended - begun, error)
        if isinstance(outcome, Exception):
            return
        live.answered += 1
        other = self._version(servable.name, route.stable if side else route.canary)
        if other is None or not is_turn(live.answered, route.percent if route.shadow else route.pairs_percent):
            return
        size = sum(array.nbytes for arrays in (feeds, outcome) for array in arrays.values())
        kept = outcome
        if not self._copies.put(
            lambda: self._compare(live, servable, other, signature, feeds, kept), (servable, other), size
        ):
            with live.lock:
                live.tally.values["dropped"] += 1

    def compared(self, name: str) -> dict[str, Any] | None:
        """Return what was counted of a rollout that runs."""
        live = self.live.get(name)
        if live is None:
            return None
        with live.lock:
            return deepcopy(live.tally.values)

    def refusal(self, name: str, stable: int, canary: int) -> str:
        """Return why two versions cannot answer the same requests, empty where they can."""
        one, other = self._version(name, stable), self._version(name, canary)
        if one is None or other is None:
            return ""
        for signature, asked in one.signatures.items():
            found = other.signatures.get(signature)
            if found is None or _inputs(found) != _inputs(asked):
                what = "has none" if found is None else f"takes {_inputs(found)}"
                return f"version {stable} takes {_inputs(asked)} as {signature}, version {canary} {what}"
        return ""

    def _compare(
        self, live: _Live, answered: Servable, other: Servable, signature: str, feeds: Arrays, answer: Arrays
    ) -> None:
        # What answered is run again in a shadow, so that both are timed alike, each first as often.
        again = live.route.shadow
        runs: dict[Servable, tuple[Outcome, float]] = {}
        for one in (other, answered) if live.answered % 2 or not again else (answered, other):
            if again or one is other:
                runs[one] = self._timed(one, signature, feeds)
        outcome, seconds = runs[other]
        failed = isinstance(outcome, Exception)
        with live.lock:
            if again:
                live.tally.count(1, seconds, outcome if isinstance(outcome, Exception) else None)
                if not isinstance(runs[answered][0], Exception):
                    live.tally.time(0, runs[answered][1])
            if failed or outcome is None:
                assert isinstance(outcome, Exception)
                if not is_clients_fault(outcome):
                    live.tally.miss(1)
            elif other.version == live.route.canary:
                live.tally.compare(answer, outcome)  # type: ignore[arg-type]  # it did not fail
            else:
                live.tally.compare(outcome, answer)  # type: ignore[arg-type]

    def _timed(self, servable: Servable, signature: str, feeds: Arrays) -> tuple[Outcome, float]:
        begun = time.perf_counter()
        outcome: Outcome
        try:
            outcome = servable.run(feeds, signature)
        except Exception as error:  # noqa: BLE001 - no client asked for it
            outcome = error
        ended = time.perf_counter()
        if self._log is not None:
            self._log.keep(servable, Arrival(SHADOW, (), begun), feeds, outcome, begun, ended)
        return outcome, ended - begun

    def _version(self, name: str, version: int | None) -> Servable | None:
        model = self._models.model(name)
        found = None if model is None or version is None else model.versions.get(version)
        return found if found is not None and found.state == "AVAILABLE" else None


def _inputs(signature: Any) -> str:
    return ", ".join(f"{one.name} {one.dtype} {list(one.shape)}" for one in sorted(signature.inputs, key=_name))


def _name(tensor: Any) -> str:
    return str(tensor.name)
