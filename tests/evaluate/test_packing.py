import gzip
import hashlib
import io
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tests.evaluate.packed_models import every_kind, flattened, kernel, onnx_file, tensors_of
from workbench.compress.preview.perturb import whole_numbers
from workbench.core.artifact import Artifact, gzip_length
from workbench.core.errors import BadInputError
from workbench.evaluate.packing import Packer, format_of, pack, unpack

DTYPES = [np.float32, np.float16, np.float64, np.int8, np.uint8, np.int16, np.int32, np.int64, np.uint64, np.bool_]
ANY_ARRAY = st.sampled_from(DTYPES).flatmap(
    lambda dtype: arrays(dtype, array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=9))
)
CHANCE = np.random.default_rng(0)
GOLDEN = (
    "4c57500105ec2fb273b43e566b4c007663f61392606366e6e762e3e0e79013e1e0b37aa8cfa5cbc55821c45829c506ac8bca538be079434b"
    "04dacd83cf82826a5621602d9b5890a17541834382830d1ae88ce55e0734b4ce3002053840dc14af038c5a4f5838e4384404989d180bbd6e"
    "b044f183ace1e2e2003a9505ec0fa04025b200c4c900c2011b040803055122b42da63024a853b0f8ab0900808d4f7c02f798cb79ebb011d9"
    "8040ef4e1f8cfe85579b677b9eb8a71513f0922be382cad9282645031e7713a98dc24e71c3931c20bed22534b5a37d049c1892367b7fbd0b"
    "6fada677d51b0b908bf66d3844a09f3de6d55784e6b19707cc1c095e32ef324b06d322078161aa8ccd7d3a0787bfa04d9a811adf02816e04"
    "9a2ceb213196ccd3836f090f4dca86dcb203927e063b3c3d3ebcbdbe329df3060200000a02071f213152e2e9f6fdbdfeb9ecb90bc6050347"
    "57e1a8606bdb632c8d8231ec4dff10aa86c7b695d1bf4f770a11bf59cc68c13cc5494c4e939f2528b2b00dcf2dfa1bbbc3384a23813255c8"
    "b194442283c25bc7aaa8b2bc637c75368df7df2ae3b5fe2cdd11bc0c28b708f4f4c6f0fd4c7bcacd1265931a48985b3c73d29ed9c967c2a1"
    "1b6b0b8bc8727f7b5ee9f81a9cbd2f0760174fcd2dc6cd2bca96ff8450d08e1d6aeae85d6a601131589c82b3d9e2a9fbc1367f389c054668"
    "49d3398f55053810976a2bb20b8b8028f600fd1602a85c865e50d3c1bba0baa8486e007ab71dc9058668bc2a0e7ad3730765d17f06"
)
GOLDEN_SHA256 = "b273b43e566b4c0099bb8470954133848b389dff8bb3661d46b2f3beb2eefff1"


@settings(max_examples=60, deadline=None)
@given(st.lists(ANY_ARRAY, max_size=4))
def test_any_tensors_come_back_bit_for_bit(values: list[np.ndarray]) -> None:
    data = onnx_file({f"t{number}": array for number, array in enumerate(values)})
    assert unpack(pack(data, "onnx")) == data


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["onnx", "tflite", "tf_keras", "h5", "saved_model"]))
def test_any_bytes_come_back(data: bytes, format_: str) -> None:
    packed = pack(data, format_)
    assert unpack(packed) == data
    assert format_of(packed) == format_


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(64, 9), (5, 40, 3, 3), (3, 3, 6, 50), (4097, 3), (300,), (576, 8)]))
def test_sparse_shared_and_odd_values_come_back(seed: int, shape: tuple[int, ...]) -> None:
    draw = np.random.default_rng(seed)
    odd = np.array([0x80000000, 0x7FC00001, 0xFF800000, 1, 0x3C00, 0x7F800000], np.uint32).view(np.float32)
    weights = kernel(shape, draw.random(), int(draw.integers(1, 300)), seed)
    weights = np.where(draw.random(shape) < draw.choice([0, 0.1, 0.6]), draw.choice(odd, shape), weights)
    data = onnx_file({"w": weights, "q": draw.integers(-4, 5, shape).astype(np.int8)})
    assert unpack(pack(data, "onnx")) == data


def test_negative_zero_is_not_taken_for_zero() -> None:
    weights = kernel((32, 32), 0.8)
    weights[weights == 0] = CHANCE.choice(np.float32([0.0, -0.0]), int((weights == 0).sum()))
    back = tensors_of(unpack(pack(onnx_file({"w": weights}), "onnx")))["w"]
    assert np.array_equal(back.view(np.uint32), weights.view(np.uint32))
    assert np.signbit(back[back == 0]).any()


def test_big_endian_values_are_packed_as_the_file_has_them() -> None:
    data = onnx_file({"w": kernel((40, 40), 0.5)})
    other = kernel((40, 40), 0.9, seed=3)
    packer = Packer(data, "onnx")
    assert packer.pack({"w": other.astype(">f4")}) == packer.pack({"w": other})


def test_every_way_of_storing_comes_back_and_is_smaller_than_gzip() -> None:
    data = every_kind()
    packed = pack(data, "onnx")
    assert unpack(packed) == data
    assert len(packed) < 0.85 * len(gzip.compress(data, 9))


@pytest.mark.parametrize("bits", [8, 5])
def test_what_deflate_makes_smaller_is_deflated(bits: int) -> None:
    rounded = whole_numbers(kernel((96, 200), 0.0), bits, 0).values
    data = onnx_file({"rounded": rounded, "noise": kernel((16, 16), 0.0)})
    packed = pack(data, "onnx")
    assert unpack(packed) == data
    assert len(packed) <= gzip_length(data)
    packer = Packer(onnx_file({"rounded": kernel((96, 200), 0.5), "noise": kernel((16, 16), 0.0)}), "onnx")
    assert packer.pack({"rounded": rounded}) == packed
    assert packer.size({"rounded": rounded}) == packer.size({"rounded": rounded}, lambda: gzip_length(data))
    assert packer.size({"rounded": rounded}) == len(packed)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([np.float32, np.int8, np.int16]), st.integers(1, 400), st.integers(1, 3000))
def test_nothing_is_longer_than_deflate_makes_it(dtype: type[np.generic], period: int, length: int) -> None:
    values = np.resize(np.random.default_rng(period).integers(0, 255, period), length).astype(dtype)
    data = onnx_file({"periodic": values})
    # The few bytes on top are those of the header beside gzip's.
    assert len(pack(data, "onnx")) <= gzip_length(data) + 8


def test_a_sparse_kernel_with_shared_values_costs_little_more_than_its_entropy() -> None:
    weights = kernel((64, 64, 3, 3), 0.9, 8)
    kept = weights != 0
    # Bits of positions, each filter's density known for nothing, and of indices into eight values.
    share = kept.mean(axis=(1, 2, 3))
    entropy = -576 * (share * np.log2(share) + (1 - share) * np.log2(1 - share)).sum() + 3 * kept.sum()
    empty = len(pack(onnx_file({"w": np.zeros_like(weights)}), "onnx"))
    assert len(pack(onnx_file({"w": weights}), "onnx")) - empty < 1.04 * entropy / 8


def test_channels_that_differ_make_positions_cheaper() -> None:
    even = CHANCE.random((64, 64)) < 0.1
    uneven = np.sort(even.ravel()).reshape(64, 64)
    sizes = [len(pack(onnx_file({"w": mask.astype(np.float32)}), "onnx")) for mask in (even, uneven)]
    assert sizes[1] < 0.5 * sizes[0]


def test_channels_behind_a_flattened_map_are_found() -> None:
    ours = flattened((16, 576), 9)
    shuffled = ours[:, CHANCE.permutation(576)]
    sizes = [len(pack(onnx_file({"w": each}), "onnx")) for each in (ours, ours.T, shuffled)]
    assert max(sizes[:2]) < 0.95 * sizes[2]


def test_channels_with_zero_points_of_their_own_are_counted_from_them() -> None:
    offsets = CHANCE.integers(-100, 100, 64)
    weights = np.where(CHANCE.random((576, 64)) < 0.1, CHANCE.integers(-9, 9, (576, 64)), 0)
    same, own = (len(pack(onnx_file({"w": each.astype(np.int8)}), "onnx")) for each in (weights, weights + offsets))
    assert own < same + 64 + 60


def test_a_constant_as_large_as_you_like_comes_back() -> None:
    data = onnx_file({"w": np.zeros((3000, 1000), np.float32)})
    packed = pack(data, "onnx")
    assert len(packed) < 20_000
    assert unpack(packed) == data
    assert Packer(data, "onnx").size() == len(packed)


def test_what_would_take_a_reader_too_many_turns_is_deflated() -> None:
    whole_rows = {f"t{number}": np.repeat(CHANCE.random((4096, 1)) < 0.1, 16, axis=1) for number in range(24)}
    data = onnx_file({name: rows.astype(np.int8) for name, rows in whole_rows.items()})
    packer = Packer(data, "onnx")
    packed = packer.pack()
    assert unpack(packed) == data
    assert packer.size() == len(packed)
    few = Packer(onnx_file({"t0": whole_rows["t0"].astype(np.int8)}), "onnx")
    # Deflate, not the coder, wrote the large one: it takes more bytes a tensor than the coder would.
    assert len(packed) / 24 > 1.1 * len(few.pack())


def test_a_tensor_larger_than_a_part_comes_back() -> None:
    data = onnx_file({"w": (CHANCE.random((1100, 1000)) < 0.01).astype(np.int8)})
    packed = pack(data, "onnx")
    assert unpack(packed) == data
    assert len(packed) < len(data) / 50


def test_size_is_the_length_of_what_pack_would_write() -> None:
    tensors = tensors_of(every_kind())
    packer = Packer(onnx_file(tensors), "onnx")
    for changed in (
        {},
        {"pruned": kernel((64, 32), 0.95, 3)},
        {"shared": kernel((32, 16, 3, 3), 0.0), "bias": np.zeros(64, np.float32)},
        {"pruned": np.zeros((64, 32), np.float32)},
    ):
        whole = pack(onnx_file(tensors | changed), "onnx")
        assert packer.size(changed) == len(whole)
        assert packer.pack(changed) == whole


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"pruned": np.zeros((32, 64), np.float32)}, "pruned must have the shape"),
        ({"pruned": np.zeros((64, 32), np.int8)}, "4 bytes an element"),
        ({"nobody": np.zeros(3)}, "must be large tensors of the file"),
    ],
)
def test_values_that_do_not_fit_are_refused(tensors: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        Packer(every_kind(), "onnx").size(tensors)


def test_a_keras_archive_that_is_compressed_comes_back_too() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", b"no HDF5")
    assert unpack(pack(buffer.getvalue(), "tf_keras")) == buffer.getvalue()


@pytest.mark.parametrize("label", ["tf_keras/float32", "onnx/float32", "tflite/float32", "tflite/int8"])
def test_real_models_come_back_and_are_smaller_than_gzip(
    label: str, trained: Artifact, converted: dict[str, Artifact]
) -> None:
    artifact = {trained.label: trained, **converted}[label]
    data = artifact.path.read_bytes()
    packer = Packer(data, artifact.format)
    packed = packer.pack()
    assert unpack(packed) == data
    assert len(packed) < 0.995 * len(gzip.compress(data, 9))
    # All kernels and biases were found: what is left is the graph.
    assert sum(each.length for each in packer.ranges) >= 93_322 * (1 if "int8" in label else 4)


def test_files_with_the_same_weights_pack_to_about_the_same_size(
    trained: Artifact, converted: dict[str, Artifact]
) -> None:
    sizes = [len(pack(each.path.read_bytes(), each.format)) for each in (trained, converted["onnx/float32"])]
    assert max(sizes) - min(sizes) < 1500


def test_the_skeleton_of_the_docs_cnn_is_a_few_hundred_bytes(converted: dict[str, Artifact]) -> None:
    data = converted["onnx/float32"].path.read_bytes()
    packer = Packer(data, "onnx")
    nothing = {each.name: np.zeros(each.shape, np.float32) for each in packer.ranges if each.size == 4}
    assert len(packer.pack(nothing)) < 450


def test_files_that_earlier_versions_packed_are_still_read() -> None:
    # If this fails, the container or its dictionary changed: give it a new version and keep reading this one.
    assert hashlib.sha256(unpack(bytes.fromhex(GOLDEN))).hexdigest() == GOLDEN_SHA256


def test_what_is_no_packed_file_is_one_sentence() -> None:
    for data in (b"", b"LWP", b"LWP\x01", b"LWP\x01\xff", b"PK\x03\x04", gzip.compress(b"x")):
        with pytest.raises(BadInputError, match="packed file is ") as error:
            unpack(data)
        assert "\n" not in str(error.value)


def test_a_file_larger_than_allowed_is_refused_before_anything_is_made() -> None:
    packed = pack(bytes(5000), "onnx")
    with pytest.raises(BadInputError, match="the limit is 4999"):
        unpack(packed, largest=4999)
    assert unpack(packed, largest=5000) == bytes(5000)
