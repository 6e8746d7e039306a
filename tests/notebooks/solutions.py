"""Answers to the exercises, which no notebook shows: the lines that stand in place of `answer = ...`."""

SOLUTIONS = {
    "one_hot": "import numpy as np\nanswer = (labels, np.eye(len(data.classes))[labels])\n",
    "parameters_of_a_convolution": "answer = (3 * 3 * 64 + 1) * 64\n",
    "delta_of_a_neuron": "answer = lambda z, y: (sigmoid(z) - y) * sigmoid(z) * (1 - sigmoid(z))\n",
    "cross_entropy_of_two_classes": "answer = lambda y, p: -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))\n",
    "before_and_after": "answer = (trained, wb.evaluate(tflite, data))\n",
    "bits_of_a_weight": (
        "import numpy as np\nshares = np.array([0.8, *[0.2 / 16] * 16])\nanswer = -(shares * np.log2(shares)).sum()\n"
    ),
    "trainings_of_a_grid": "answer = 3 * 4 * 2 * 5 + 1\n",
    "labels_that_changed": (
        'made = wb.convert(model, "onnx", numeric="int8", dataset=data)\nparity = made.metrics["parity"]\n'
        'answer = (made, parity["samples"] * (1 - parity["agreement"]))\n'
    ),
    "body_of_a_request": 'answer = {"instances": images[:1].tolist()}\n',
    "images_that_drift": "answer = turned\n",
    "two_keys": (
        "asks, admin = wb.new_key(), wb.new_key()\n"
        'known = wb.Security(api_keys={asks.sha256: "predict", admin.sha256: "admin"})\n'
        "answer = (known, asks.key, admin.key)\n"
    ),
    "patients_without_an_error": (
        "answer = next(count for count in range(1, 1000) if wilson(count, count).low >= 0.95)\n"
    ),
}
