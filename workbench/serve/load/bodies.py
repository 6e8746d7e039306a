"""Samples as the requests of a load, in the form of each protocol over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np

from workbench.core.errors import BadInputError
from workbench.serve.client.json_values import write_json
from workbench.serve.client.oip_http import HEAD_LENGTH
from workbench.serve.client.oip_tensors import write_head

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from workbench.serve.load.settings import LoadFace
    from workbench.serve.signature import Tensor

Array = np.ndarray[Any, Any]
_MOST_BODIES, _MOST_BYTES = 256, 64 * 1024 * 1024


def path_of(face: LoadFace, model: str) -> str:
    """Return where a model is asked, from the server's root."""
    name = quote(model, safe="")
    return f"/v1/models/{name}:predict" if face == "rest" else f"/v2/models/{name}/infer"


def bodies_of(feeds: Mapping[str, Array], batch: int, face: LoadFace) -> tuple[list[bytes], dict[str, str]]:
    """Return request bodies and the headers that all of them have.

    Args:
        feeds: Samples [n, …] by input, the same n for each; where n is no multiple of the batch they begin again.
        batch: Samples in a request.
        face: Form.

    Returns:
        At most 256 bodies and 64 MiB, and more than one wherever there are other samples.

    Raises:
        BadInputError: There are no samples, or not the same number for each input.
    """
    counts = {len(array) if array.ndim else 0 for array in feeds.values()}
    if len(counts) != 1 or 0 in counts:
        raise BadInputError.of(
            "samples", rule="must be at least one, the same number for each input", got=sorted(counts)
        )
    written: list[tuple[bytes, bytes]] = []
    total = 0
    for feed in _batches(feeds, counts.pop(), batch):
        head, tail = _write(feed, face)
        total += len(head) + len(tail)
        if written and total > _MOST_BYTES:
            break
        written.append((head, tail))
    if face != "oip_binary":
        return [head for head, _ in written], {"content-type": "application/json"}
    # All requests have the same header; blanks after JSON mean nothing.
    length = max(len(head) for head, _ in written)
    headers = {"content-type": "application/octet-stream", HEAD_LENGTH: str(length)}
    return [head.ljust(length) + tail for head, tail in written], headers


def drawn(tensors: tuple[Tensor, ...], count: int, seed: int) -> dict[str, Array]:
    """Draw samples for a model of which nothing is known but its inputs.

    Args:
        tensors: The inputs; a size that is free, other than the first, is taken as 1.
        count: Samples.
        seed: The same samples for the same.

    Returns:
        Numbers in [0, 1), whole numbers 0 or 1, strings `a`.
    """
    draw = np.random.default_rng(seed)
    found: dict[str, Array] = {}
    for tensor in tensors:
        shape = (count, *(max(size, 1) for size in tensor.shape[1:]))
        if tensor.dtype == "string":
            found[tensor.name] = np.full(shape, "a", dtype=object)
        elif np.dtype(tensor.dtype).kind == "f":
            found[tensor.name] = draw.random(shape).astype(tensor.dtype)
        else:
            found[tensor.name] = draw.integers(0, 2, shape).astype(tensor.dtype)
    return found


def _batches(feeds: Mapping[str, Array], count: int, batch: int) -> Iterator[dict[str, Array]]:
    turns = min(max(count // batch, 1), _MOST_BODIES)
    for turn in range(turns):
        rows = np.arange(turn * batch, (turn + 1) * batch) % count
        yield {name: array[rows] for name, array in feeds.items()}


def _write(feed: dict[str, Array], face: LoadFace) -> tuple[bytes, bytes]:
    if face == "rest":
        # One input is written row by row, as TensorFlow Serving's documents have it.
        return write_json({"instances": next(iter(feed.values()))} if len(feed) == 1 else {"inputs": feed}), b""
    head, parts = write_head(feed, binary=face == "oip_binary")
    return write_json(head), b"".join(parts)
