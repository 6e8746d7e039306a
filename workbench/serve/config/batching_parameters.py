"""`--batching_parameters_file`: tensorflow.serving.BatchingParameters."""

from __future__ import annotations

from itertools import pairwise

from workbench.core.errors import BadInputError
from workbench.serve.batching import Batching
from workbench.serve.config.fields import Fields
from workbench.serve.config.text_proto import parse

TYPE = "tensorflow.serving.BatchingParameters"

ORIGINAL = Batching(mode="on", max_batch_size=1000, batch_timeout_micros=0, max_enqueued_batches=10)
"""What the original does with `--enable_batching` alone."""

_IGNORED = (
    "thread_pool_name",
    "pad_variable_length_inputs",
    "enable_large_batch_splitting",
    "max_execution_batch_size",
)
_NUMBERS = ("max_batch_size", "batch_timeout_micros", "max_enqueued_batches", "num_batch_threads")


def read_batching(text: str) -> tuple[Batching, list[str]]:
    """Read how requests share a run; what the file leaves out is as in the original.

    Args:
        text: The file.

    Returns:
        The settings, and the names of parameters that the file gives and this server has no use for.

    Raises:
        TextProtoError: It is no such message; the line and the column are named.
        BadInputError: A parameter breaks its rule.
    """
    fields = Fields(parse(text), TYPE)
    given = {name: value for name in _NUMBERS if (value := fields.wrapped(name)) is not None}
    sizes = tuple(fields.integers("allowed_batch_sizes"))
    ignored = fields.ignore(_IGNORED)
    fields.end()
    settings = ORIGINAL.replace(**given)
    if sizes:
        _check(sizes, settings.max_batch_size)
    return settings.replace(allowed_batch_sizes=sizes), ignored


def _check(sizes: tuple[int, ...], largest: int) -> None:
    if sizes[0] < 1 or any(one >= two for one, two in pairwise(sizes)):
        raise BadInputError.of("allowed_batch_sizes", rule="must be at least 1 and increase", got=list(sizes))
    if sizes[-1] != largest:
        raise BadInputError(
            "Last entry in allowed_batch_sizes must match max_batch_size; last entry was "
            f"{sizes[-1]}; expected {largest}"
        )
