"""FastAPI as its tutorials have it: a pydantic model in, a plain function, lists out.

Run as `fastapi_tutorial.py MODEL PORT`.
"""

import sys

import numpy as np
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from session import open_session

session = open_session(sys.argv[1])
app = FastAPI()


class Images(BaseModel):
    """A batch (n, 28, 28, 1)."""

    instances: list[list[list[list[float]]]]


@app.post("/predict")
def predict(images: Images) -> dict[str, list[list[float]]]:
    """Answer a batch."""
    (answers,) = session.run(None, {"image": np.array(images.instances, dtype=np.float32)})
    return {"predictions": answers.tolist()}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", access_log=False)
