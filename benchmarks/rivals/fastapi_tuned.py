"""FastAPI as one who measures writes it: the raw body, orjson both ways, no thread, no model of the data.

Run as `fastapi_tuned.py MODEL PORT`.
"""

import sys

import numpy as np
import orjson
import uvicorn
from fastapi import FastAPI, Request, Response
from session import open_session

session = open_session(sys.argv[1])
app = FastAPI()


@app.post("/predict")
async def predict(request: Request) -> Response:
    """Answer a batch."""
    images = np.array(orjson.loads(await request.body())["instances"], dtype=np.float32)
    (answers,) = session.run(None, {"image": images})
    body = orjson.dumps({"predictions": answers}, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(body, media_type="application/json")


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", access_log=False)
