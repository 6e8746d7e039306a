"""The client: arrays in, arrays out, and every refusal as one sentence."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import numpy as np
import pytest

from workbench.core.errors import BadInputError, ServingError
from workbench.serve.client import Client, client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.serve.sandbox import Sandbox

IMAGES = np.random.default_rng(7).random((5, 2, 2, 1), dtype=np.float32)


@pytest.fixture
def tiny(served: Sandbox) -> Iterator[Client]:
    asking = client(served.url, "tiny")
    yield asking
    asking.close()


def softmax(images: np.ndarray) -> np.ndarray:
    powers = np.exp(images.reshape(len(images), -1))
    return powers / powers.sum(1, keepdims=True)


def test_predict(tiny: Client) -> None:
    answers = tiny.predict(IMAGES)
    assert answers.dtype == np.float32
    np.testing.assert_allclose(answers, softmax(IMAGES), atol=1e-6)
    np.testing.assert_array_equal(tiny.predict({"image": IMAGES}), answers)
    np.testing.assert_array_equal(tiny.predict(IMAGES.tolist()), answers)
    np.testing.assert_array_equal(tiny.predict(IMAGES[:, ::-1])[:, [2, 3, 0, 1]], answers)
    np.testing.assert_array_equal(tiny.predict(IMAGES, signature="serving_default"), answers)


def test_integers_and_nan(tiny: Client) -> None:
    assert tiny.predict(np.zeros((1, 2, 2, 1), np.uint8)).tolist() == [[0.25] * 4]
    assert np.isnan(tiny.predict(np.full((1, 2, 2, 1), np.nan, np.float32))).all()


def test_the_server_s_reason_is_given(tiny: Client) -> None:
    with pytest.raises(
        ServingError, match=r"answered 400: Input image must be of shape \[-1, 2, 2, 1\] but got: \[2\]"
    ):
        tiny.predict(np.zeros(2))
    with pytest.raises(ServingError, match=r"answered 404: Servable not found for request: Specific\(tiny, 99\)"):
        tiny.predict(IMAGES, version=99)
    with pytest.raises(ServingError, match="answered 400: Unrecognized servable version label: no"):
        tiny.predict(IMAGES, label="no")
    with pytest.raises(BadInputError, match="label must not be given beside a version"):
        tiny.predict(IMAGES, version=1, label="no")


def test_status_and_metadata(tiny: Client) -> None:
    (status,) = tiny.status()
    assert (status.version, status.state, status.error) == (1, "AVAILABLE", "")
    assert tiny.metadata()["model_spec"] == {"name": "tiny", "signature_name": "", "version": "1"}


def test_another_model_is_not_here(served: Sandbox) -> None:
    stranger = client(served.url, "../tiny")
    for ask in (stranger.status, stranger.metadata, lambda: stranger.predict(IMAGES)):
        with pytest.raises(ServingError, match="answered 404"):
            ask()
    with pytest.raises(ServingError, match="must serve"):
        stranger.stats()
    stranger.close()


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as once:
        port = once.getsockname()[1]
    with pytest.raises(ServingError, match=r"does not answer \(.*refused.*\); start a server with"):
        client(f"http://127.0.0.1:{port}").status()


def test_an_address_is_asked_for() -> None:
    with pytest.raises(BadInputError, match=r"url must start with http:// or https://, got 'localhost'"):
        client("localhost")
