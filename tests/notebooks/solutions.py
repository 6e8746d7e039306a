"""Answers to the exercises, which no notebook shows: the lines that stand in place of `answer = ...`."""

SOLUTIONS = {
    "before_and_after": "answer = (trained, wb.evaluate(tflite, data))\n",
}
