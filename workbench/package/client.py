"""Ask a server for this model's answers: TensorFlow Serving's REST, with NumPy and the standard library.

```
python client.py http://127.0.0.1:8501                       # noise of the right shape
python client.py http://127.0.0.1:8501 --input images.npy    # the first axis counts the samples
```

A server that asks for a key gets the one in WORKBENCH_API_KEY.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np

_TYPES = {
    "DT_FLOAT": "float32", "DT_DOUBLE": "float64", "DT_HALF": "float16", "DT_INT8": "int8", "DT_INT16": "int16",
    "DT_INT32": "int32", "DT_INT64": "int64", "DT_UINT8": "uint8", "DT_UINT16": "uint16", "DT_UINT32": "uint32",
    "DT_UINT64": "uint64", "DT_BOOL": "bool",
}  # fmt: skip
_OPEN_AXIS = 32


class ModelClient:
    """One model on one server.

    Args:
        url: Where its REST is, e.g. `http://127.0.0.1:8501`.
        name: Model name.
        key: API key, where the server asks for one.
        seconds: Longest wait for an answer.
    """

    def __init__(self, url: str, name: str, key: str = "", seconds: float = 30.0) -> None:
        if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
            raise ValueError(f"url must begin with http:// or https://, got {url!r}")
        self._model = f"{url.rstrip('/')}/v1/models/{urllib.parse.quote(name, safe='')}"
        self._headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
        self._seconds = seconds

    def inputs(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Return NumPy's type and the shape of each input; an axis of -1 is free, the first is the batch."""
        found = self._ask("/metadata")["metadata"]["signature_def"]["signature_def"]["serving_default"]["inputs"]
        return {
            name: (
                _TYPES.get(one["dtype"], "str"),
                tuple(int(axis["size"]) for axis in one["tensor_shape"].get("dim", ())),
            )
            for name, one in found.items()
        }

    def noise(self, samples: int = 1, seed: int = 0) -> dict[str, np.ndarray[Any, Any]]:
        """Return input of the right shape that means nothing."""
        random = np.random.default_rng(seed)
        return {
            name: random.random([samples, *(axis if axis > 0 else _OPEN_AXIS for axis in shape[1:])]).astype(dtype)
            for name, (dtype, shape) in self.inputs().items()
        }

    def predict(self, inputs: Any) -> np.ndarray[Any, Any] | dict[str, np.ndarray[Any, Any]]:
        """Return the answers for an array, or for several by name: an array, or several by name."""
        given = (
            {name: np.asarray(one).tolist() for name, one in inputs.items()}
            if isinstance(inputs, dict)
            else np.asarray(inputs).tolist()
        )
        outputs = self._ask(":predict", {"inputs": given})["outputs"]
        if isinstance(outputs, dict):
            return {name: np.asarray(one) for name, one in outputs.items()}
        return np.asarray(outputs)

    def _ask(self, path: str, document: Any = None) -> Any:
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(self._model + path, body, self._headers)  # noqa: S310 - checked above
        try:
            with urllib.request.urlopen(request, timeout=self._seconds) as reply:  # noqa: S310
                return json.load(reply)
        except urllib.error.HTTPError as error:
            said = error.read(1000).decode(errors="replace")
            raise RuntimeError(f"{self._model}{path} answered {error.code}: {said}") from None


def main() -> int:
    """Ask once and print the answers; 1 where the server could not answer."""
    home = Path(__file__).parent / "package.json"
    name = json.loads(home.read_text(encoding="utf-8"))["name"] if home.is_file() else "model"
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("url", help="REST address, e.g. http://127.0.0.1:8501")
    parser.add_argument("--name", default=name, help="model name (default: %(default)s)")
    parser.add_argument("--input", type=Path, help=".npy file; the first axis counts the samples")
    given = parser.parse_args()
    try:
        client = ModelClient(given.url, given.name, os.environ.get("WORKBENCH_API_KEY", ""))
        answers = client.predict(client.noise() if given.input is None else np.load(given.input))
    except (OSError, RuntimeError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for output, array in answers.items() if isinstance(answers, dict) else [("", answers)]:
        label = f"{output}: " if output else ""
        for index, row in enumerate(array):
            top = f", most at {int(np.argmax(row))}" if row.ndim == 1 and row.size > 1 else ""
            sys.stdout.write(f"{label}sample {index}: {np.array2string(row, precision=4, threshold=20)}{top}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
