"""What a profile times: calls of several models, in turns."""

import numpy as np

from workbench.evaluate.profile import medians_in_turn
from workbench.evaluate.runtimes import Runtime, TensorSpec


class _Named(Runtime):
    """Takes `ms` a call on a clock that it shares, and writes its name down; what is busy makes all calls longer."""

    def __init__(self, mark: str, ms: float, log: list[str], now: list[int]) -> None:
        self.inputs = self.outputs = (TensorSpec(name="x", dtype="float32", shape=(-1, 2)),)
        self.threads = 1
        self._mark, self._ms, self._log, self._now = mark, ms, log, now

    def _run(self, batch: np.ndarray) -> np.ndarray:
        self._log.append(self._mark)
        busy = 10 if len(self._log) > 60 else 1
        self._now[0] += int(self._ms * busy * 1e6)
        return batch


def test_models_take_turns_so_that_a_busy_machine_slows_all_alike() -> None:
    log: list[str] = []
    now = [0]
    pair = [_Named("a", 1, log, now), _Named("b", 2, log, now)]
    batch = np.zeros((1, 2), np.float32)
    ours, theirs = medians_in_turn([(each, batch) for each in pair], 41, clock=lambda: now[0])
    assert theirs == 2 * ours, "one after the other, the second would bear all of what came later"
    timed = log[2:]
    pairs = list(zip(timed[::2], timed[1::2], strict=True))
    assert all(set(each) == {"a", "b"} for each in pairs)
    assert abs(sum(first == "a" for first, _ in pairs) * 2 - len(pairs)) <= 1, "each goes first as often as the other"
