"""How right the answers were, once the truth is known."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from workbench.evaluate.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workbench.core.records import LoggedRequest, Proportion

_REMEMBERED = 100_000


class LiveAccuracy:
    """Joins answers and labels by the request's id, whichever comes first; of bounded memory."""

    def __init__(self, last: int = 500, remembered: int = _REMEMBERED) -> None:
        """Know nothing yet.

        Args:
            last: Requests with a label that count, the newest.
            remembered: Requests that a label may still come for.
        """
        self._last = last
        self._remembered = remembered
        self._answers: OrderedDict[str, tuple[int, ...]] = OrderedDict()

    def observe(self, requests: Iterable[LoggedRequest]) -> None:
        """Take answers in; those that failed, or hold no classes, are passed over.

        Args:
            requests: In the order of their answers.
        """
        for request in requests:
            if request.code == "OK" and request.predictions:
                self._answers[request.id] = request.predictions
                self._answers.move_to_end(request.id)
        while len(self._answers) > self._remembered:
            self._answers.popitem(last=False)

    def reset(self) -> None:
        """Forget the answers, e.g. since another version answers: labels that come for them are passed over."""
        self._answers.clear()

    def of(self, labels: Mapping[str, tuple[int, ...]]) -> Proportion | None:
        """Return the share of right answers with Wilson's interval; None where no truth is known.

        Args:
            labels: Classes of a request's samples, by its id; those of unknown requests are passed over.
        """
        right, total, left = 0, 0, self._last
        for name in reversed(self._answers):
            if (truth := labels.get(name)) is None:
                continue
            pairs = [*zip(self._answers[name], truth, strict=False)]
            right += sum(said == true for said, true in pairs)
            total += len(pairs)
            left -= 1
            if not left:
                break
        return wilson(right, total) if total else None


def live_accuracy(
    requests: Iterable[LoggedRequest], labels: Mapping[str, tuple[int, ...]], last: int = 500
) -> Proportion | None:
    """Return the share of right answers with Wilson's interval; None where no truth is known.

    Args:
        requests: As the log has them (`monitor.request_log.read`).
        labels: As they were told (`monitor.labels.read_labels`).
        last: Requests with a label that count, the newest.
    """
    requests = tuple(requests)
    found = LiveAccuracy(last, remembered=max(len(requests), 1))
    found.observe(requests)
    return found.of(labels)
