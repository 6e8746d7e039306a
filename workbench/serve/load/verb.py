"""Putting a load on a served model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import BadInputError, ServingError
from workbench.serve.client.access import Access
from workbench.serve.client.face import RefusedError
from workbench.serve.client.http import Http
from workbench.serve.client.model_client import Client, sentence
from workbench.serve.client.oip_tensors import read_inputs
from workbench.serve.client.rest import read_signature
from workbench.serve.client.signatures import named
from workbench.serve.load.bodies import bodies_of, drawn, path_of
from workbench.serve.load.settings import LoadSettings
from workbench.serve.load.target import LoadTarget, run_load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from workbench.core.records import LoadResult
    from workbench.serve.client.face import Array
    from workbench.serve.load.settings import LoadFace
    from workbench.serve.signature import Tensor

_SAMPLES = 64


def load(
    url: str,
    model: str = "model",
    samples: ArrayLike | Mapping[str, ArrayLike] | None = None,
    *,
    api_key: str | None = None,
    allow_remote: bool = False,
    **settings: Any,
) -> LoadResult:
    """Ask a model as often as it answers (closed loop), or so many times a second (open loop), and measure.

    The generator is a process of its own. One question is asked beforehand, so that what can never be answered is
    said in the server's words and not counted.

    Args:
        url: `http://host:port` (TensorFlow Serving's REST) or `http://host:port/v2` (Open Inference Protocol).
        model: Model name.
        samples: [n, …] for the model's one input, or by name; random ones of the model's shape where None.
        api_key: Key that the server asks for.
        allow_remote: Whether a server that is not on this machine may be asked.
        settings: Of `LoadSettings`: `connections`, `seconds`, `rate` (requests a second; open loop), `batch`, `face`
            (`rest`, `oip`, `oip_binary`; read from the URL where not given), …

    Returns:
        The record; `workbench.figures.latency_histogram` draws it.

    Raises:
        BadInputError: A setting breaks its rule, or the server is not on this machine.
        ServingError: The server does not answer, or refuses the first question.
    """
    asked = LoadSettings(**settings)
    form: LoadFace = asked.face or ("oip_binary" if url.rstrip("/").endswith("/v2") else "rest")
    root = url.rstrip("/").removesuffix("/v2")
    target = f"{root}{path_of(form, model)}"
    LoadTarget(url, (), allow_remote=allow_remote).address()  # refused before anything is asked
    access = Access(root if form == "rest" else f"{root}/v2", model, api_key)
    with Client(access.url, model, timeout=asked.timeout_seconds, access=access) as asking:
        feeds = _feeds(samples, _inputs(asking, form), asked)
        bodies, headers = bodies_of(feeds, asked.batch, form)
    _try(access, target, bodies[0], headers, asked.timeout_seconds)
    whole = LoadTarget(target, bodies, {**headers, **access.headers()}, allow_remote)
    return run_load(whole, asked, model=model, face=form)


def _try(access: Access, url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> None:
    http = Http(access)
    try:
        http.ask("POST", url, seconds, body, headers)
    except RefusedError as refused:
        raise ServingError(sentence(access.url, refused)) from refused
    finally:
        http.close()


def _inputs(asking: Client, form: LoadFace) -> tuple[Tensor, ...]:
    found = asking.metadata()
    try:
        return read_signature(found) if form == "rest" else read_inputs(found["inputs"])
    except (RefusedError, KeyError, TypeError) as error:
        raise ServingError(f"{asking.url} must tell what {asking.model} takes, got {str(found)[:80]}.") from error


def _feeds(samples: Any, tensors: tuple[Tensor, ...], asked: LoadSettings) -> dict[str, Array]:
    if samples is None and not tensors:
        raise BadInputError.of(
            "samples", rule="must be given where the server does not tell what the model takes", got=samples,
            hint="give them as {name: array}",
        )  # fmt: skip
    if samples is None:
        return drawn(tensors, max(_SAMPLES, asked.batch), asked.seed)
    if hasattr(samples, "keys"):
        return named({name: np.asarray(value) for name, value in samples.items()}, tensors)
    return named(np.asarray(samples), tensors)
