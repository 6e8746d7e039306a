import resource
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.evaluate.packed_models import every_kind, kernel, onnx_file
from workbench.core.errors import BadInputError
from workbench.evaluate.packing import pack, unpack
from workbench.evaluate.packing.coder import varint
from workbench.evaluate.packing.frame import MAGIC, deflate, part
from workbench.evaluate.packing.ranges import Range, table

MANY, FEW = 10_000, 1_000
ROOM = 256 * 2**20


@pytest.fixture(scope="module")
def packed() -> list[bytes]:
    """Small packed files: the checksum is looked at last, so that damage reaches every decoder inside."""
    return [
        pack(every_kind(), "onnx"),
        pack(onnx_file({"w": kernel((24, 8, 3, 3), 0.9, 8)}), "onnx"),
        pack(onnx_file({"w": kernel((12, 16), 0.5)}), "onnx"),
        pack(b"no model" * 20, "h5"),
    ]


@pytest.fixture
def little_memory() -> Iterator[None]:
    """Let this process have little more memory than it has now; beyond that, it gets a MemoryError."""
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (now + ROOM, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, limits)


def _mutated(files: list[bytes], draw: np.random.Generator) -> bytes:
    data = bytearray(files[draw.integers(len(files))])
    kind = draw.integers(6)
    at = int(draw.integers(len(data)))
    if kind == 0:  # bits
        for place in draw.integers(0, len(data), draw.integers(1, 5)):
            data[place] ^= 1 << int(draw.integers(8))
    elif kind == 1:  # cut off
        del data[at:]
    elif kind == 2:  # spliced with another, or itself
        other = files[draw.integers(len(files))]
        start = int(draw.integers(len(other)))
        data[at : at + int(draw.integers(64))] = other[start : start + int(draw.integers(64))]
    elif kind == 3:  # a number set to an extreme
        extreme = [0, 1, 127, 128, 2**14, 2**20, 2**31, 2**40, 2**62, 2**63 - 1][draw.integers(10)]
        place = int(draw.integers(min(40, len(data))))
        data[place : place + int(draw.integers(1, 5))] = varint(extreme)
    elif kind == 4:  # a run of one byte
        data[at : at + int(draw.integers(1, 30))] = bytes([draw.choice([0, 1, 0x7F, 0x80, 0xFF])] * 20)
    else:  # the deflated table replaced by one of our making
        data[at : at + 8] = draw.integers(0, 256, 8, np.uint8).tobytes()
    return bytes(data)


@pytest.mark.parametrize(
    ("seed", "count"), [(0, FEW), pytest.param(1, MANY, marks=pytest.mark.thorough)], ids=["few", "many"]
)
@pytest.mark.usefixtures("little_memory")
def test_damage_is_a_sentence_and_costs_no_memory(seed: int, count: int, packed: list[bytes]) -> None:
    draw = np.random.default_rng(seed)
    originals = {unpack(each) for each in packed}
    sentences = []
    for _ in range(count):
        data = _mutated(packed, draw)
        try:
            assert unpack(data) in originals, "damage that the checksum did not see"
        except BadInputError as error:
            sentences.append(str(error))
    assert len(sentences) > 0.8 * count
    assert all(each.startswith("packed file is ") and "\n" not in each for each in sentences)


def test_every_single_byte_counts(packed: list[bytes]) -> None:
    original = unpack(packed[2])
    for place in range(len(packed[2])):
        damaged = bytearray(packed[2])
        damaged[place] ^= 0x55
        try:
            # The format is only a word of what is inside.
            assert unpack(bytes(damaged)) == original
            assert place == 4
        except BadInputError:
            continue


@pytest.mark.usefixtures("little_memory")
def test_a_table_made_by_hand_cannot_reach_outside() -> None:
    draw = np.random.default_rng(3)
    for _ in range(FEW):
        numbers = [int(2 ** draw.uniform(0, 40)) if draw.random() < 0.2 else int(draw.integers(9)) for _ in range(12)]
        made = varint(int(draw.integers(1, 4))) + b"".join(map(varint, numbers))
        rest, plan = part(deflate(made)), part(draw.integers(0, 256, 40, np.uint8).tobytes())
        length = varint(int(draw.choice([24, 100, 5000, 2**20])))
        with pytest.raises(BadInputError):
            unpack(MAGIC + b"\5" + length + bytes(8) + rest + plan + draw.integers(1, 256, 40, np.uint8).tobytes())


@pytest.mark.usefixtures("little_memory")
def test_plans_made_by_hand_end_in_a_sentence() -> None:
    draw = np.random.default_rng(4)
    for _ in range(FEW):
        shape = [(64, 16), (8, 4, 3, 3), (4096, 4), (400,), (2**18,)][draw.integers(5)]
        tensor = Range(3, int(draw.choice([1, 2, 4])), shape)
        length = 3 + tensor.length
        plan = bytes([draw.integers(256)]) + draw.integers(0, draw.choice([4, 20, 256]), 60).astype(np.uint8).tobytes()
        body = part(deflate(table([tensor]) + bytes(3))) + part(plan)
        coded = draw.integers(1, 256, int(draw.integers(200)), np.uint8).tobytes()
        with pytest.raises(BadInputError):
            unpack(MAGIC + b"\5" + varint(length) + bytes(8) + body + coded)
