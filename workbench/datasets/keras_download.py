"""The ordinary Keras download, told to give up soon."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_SECONDS_TO_ANSWER = 10.0


def keras_file(name: str) -> Path:
    """Return where Keras keeps a downloaded file."""
    return Path.home() / ".keras" / "datasets" / name


def keras_dataset(name: str) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Load a dataset through `tf_keras.datasets`, which downloads it once and checks what it got.

    Returns:
        x_train, y_train, x_test, y_test.

    Raises:
        BadInputError: It could not be downloaded; the sentence names both ways out.
        MissingExtraError: TensorFlow is not installed.
    """
    try:
        import tf_keras
    except ImportError as error:
        raise MissingExtraError.of(f"Downloading {name}", "tf_keras", "train") from error
    try:
        with _impatient():
            (x_train, y_train), (x_test, y_test) = getattr(tf_keras.datasets, name).load_data()
    except Exception as error:  # Keras raises bare Exception where a download fails
        reason = " ".join(str(error).split())
        raise BadInputError(
            f"The dataset {name} is neither in WORKBENCH_DATA nor could it be downloaded ({reason}); "
            f"set WORKBENCH_DATA to a folder that holds {name}.npz, or connect to the network and try again."
        ) from error
    return x_train, y_train, x_test, y_test


@contextlib.contextmanager
def _impatient() -> Iterator[None]:
    # Keras sets no timeout of its own: a network that swallows packets would hold the job for minutes.
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_SECONDS_TO_ANSWER)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
