"""The same questions over each protocol have the same answers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.serve.client.rest_server import rest_running
from tests.serve.grpc.door import door
from tests.serve.oip.models import NUMBERS, small_models
from tests.serve.oip.running import running
from workbench.core.errors import BadInputError, ServingError
from workbench.serve.client import Client, Retries, VersionStatus, client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FACES = ("rest", "oip_http", "grpc", "oip_grpc")


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    with rest_running(small_models()) as rest, running() as server, door(small_models()) as serving:
        yield {
            "rest": f"http://{rest}",
            "oip_http": f"http://{rest}/v2",
            "kserve_v1": f"http://{server.http}",
            "grpc": f"grpc://{serving.address}",
            "oip_grpc": f"grpc+oip://{server.grpc}",
        }


@pytest.fixture(params=FACES)
def face(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def ask(face: str, urls: dict[str, str]) -> Iterator[Callable[[str], Client]]:
    opened: list[Client] = []

    def begin(model: str) -> Client:
        opened.append(client(urls[face], model, timeout=20))
        return opened[-1]

    yield begin
    for one in opened:
        one.close()


def test_arrays(ask: Callable[[str], Client]) -> None:
    double = ask("double")
    assert double.predict([[1, 2], [3, 4]]).tolist() == [[2, 4], [6, 8]]
    assert double.predict({"x": np.float64([[0.5, np.inf]])}).tolist() == [[1, np.inf]]
    assert double.predict(np.float32([[1, 2]])[:, ::-1], version=3).tolist() == [[60, 30]]
    assert ask("number").predict(np.float32(41)).tolist() == 42


def test_several_inputs_and_outputs(ask: Callable[[str], Client]) -> None:
    answers = ask("pair").predict({"a": [1, 2], "b": [[1, 2], [3, 4]]})
    assert {name: array.tolist() for name, array in answers.items()} == {"sum": [4, 9], "b": [[1, 2], [3, 4]]}


def test_strings(ask: Callable[[str], Client]) -> None:
    for given in (["a", "ü", ""], np.array([b"a", "ü".encode(), b""], dtype=object)):
        answers = ask("text").predict(given)
        assert [one.encode() if isinstance(one, str) else one for one in answers] == [b"a", "ü".encode(), b""]


@pytest.mark.parametrize("datatype", [name for name in NUMBERS if name != "BOOL"])
def test_numbers_of_every_type(ask: Callable[[str], Client], face: str, datatype: str) -> None:
    sent = np.array([0, 1, 100], dtype=NUMBERS[datatype])
    answers = ask(datatype).predict(sent)
    assert answers.tolist() == [0, 1, 100]
    assert face == "rest" or answers.dtype == sent.dtype


def test_truth_values(ask: Callable[[str], Client]) -> None:
    answers = ask("BOOL").predict([True, False])
    assert (answers.dtype, answers.tolist()) == (np.bool_, [True, False])


def test_status_metadata_and_readiness(ask: Callable[[str], Client], face: str) -> None:
    double = ask("double")
    listed = {one.version: one for one in double.status()}
    assert [listed[version].state for version in (9, 7, 3)] == ["END", "AVAILABLE", "AVAILABLE"]
    assert [one.version for one in double.status()] == [9, 7, 3]
    assert isinstance(listed[9], VersionStatus)
    assert listed[9].error
    assert "float" in str(double.metadata()).lower() or "FP32" in str(double.metadata())
    assert ("signature_def" in str(double.metadata())) == (face in ("rest", "grpc"))
    assert double.ready()
    assert not ask("nobody").ready()


def test_kserve_s_form_of_rest_tells_readiness_too(urls: dict[str, str]) -> None:
    with client(urls["kserve_v1"], "double") as double:
        assert [(one.version, one.state) for one in double.status()] == [(0, "AVAILABLE")]
        assert double.ready()


def test_what_the_server_says_is_said(ask: Callable[[str], Client], face: str) -> None:
    code = "404" if face in ("rest", "oip_http") else "NOT_FOUND"
    for question in (
        lambda: ask("nobody").predict([1.0]),
        lambda: ask("nobody").metadata(),
        lambda: ask("double").predict([[1, 2]], version=9),
    ):
        with pytest.raises(ServingError, match=f"answered {code}: .+"):
            question()
    with pytest.raises(ServingError, match=r"answered (400|INVALID_ARGUMENT): .+"):
        ask("double").predict([1.0, 2.0, 3.0])
    with pytest.raises(ServingError, match=r"answered (500|INTERNAL): .+") as failed:
        ask("crash").predict([[1.0]])
    assert "secret" not in str(failed.value)
    assert "\n" not in str(failed.value)


def test_one_array_for_several_inputs_names_them(ask: Callable[[str], Client], face: str) -> None:
    if face == "rest":
        with pytest.raises(ServingError, match="answered 400"):
            ask("pair").predict([1.0])
    else:
        with pytest.raises(BadInputError, match="inputs must be named, since the model takes a, b"):
            ask("pair").predict([1.0])


def test_labels_exist_in_one_family_of_protocols(ask: Callable[[str], Client], face: str) -> None:
    if face.startswith("oip"):
        for asked in ({"label": "stable"}, {"signature": "serving_default"}):
            with pytest.raises(BadInputError, match="must not be given over the Open Inference Protocol"):
                ask("double").predict([[1, 2]], **asked)
    else:
        with pytest.raises(ServingError, match="Unrecognized servable version label: stable"):
            ask("double").predict([[1, 2]], label="stable")
        assert ask("double").predict([[1, 2]], signature="serving_default").tolist() == [[2, 4]]


def test_counts_are_told_over_http(ask: Callable[[str], Client], face: str) -> None:
    if face in ("rest", "oip_http"):
        before = ask("free").stats().requests
        ask("free").predict([[1.0]])
        assert ask("free").stats().requests == before + 1
    else:
        with pytest.raises(BadInputError, match="url must start with http://"):
            ask("free").stats()


def test_many_threads_share_a_client(ask: Callable[[str], Client]) -> None:
    double = ask("double")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: double.predict([[n, -n]]).tolist(), range(64)))
    assert answers == [[[2 * n, -2 * n]] for n in range(64)]


def test_nobody_is_there(urls: dict[str, str]) -> None:
    for url in ("http://127.0.0.1:9", "http://127.0.0.1:9/v2", "grpc://127.0.0.1:9", "grpc+oip://127.0.0.1:9"):
        with client(url, retries=Retries(attempts=2, first_seconds=0.001)) as nobody:
            with pytest.raises(ServingError, match=r"does not answer \(.*refused.*\); start a server with"):
                nobody.predict([1.0])
            assert not nobody.ready()
    assert urls


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("localhost:8501", "url must start with http:// or https://"),
        ("ftp://localhost", "url must start with"),
        ("http://", "url must start with"),
    ],
)
def test_an_address_is_of_a_known_kind(url: str, sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        client(url)


def test_settings_are_checked() -> None:
    with pytest.raises(BadInputError, match="timeout must be above 0"):
        client("http://127.0.0.1:9", timeout=0)
    with pytest.raises(BadInputError, match="ca must be a PEM file"):
        client("https://127.0.0.1:9", ca="/nowhere.pem")
    with pytest.raises(BadInputError, match="certificate must be given together with private_key"):
        client("https://127.0.0.1:9", certificate=__file__)


def test_what_can_be_no_question_is_not_asked(ask: Callable[[str], Client]) -> None:
    double = ask("double")
    for version in (-1, 2**63, "3", 1.5):
        with pytest.raises(BadInputError, match=r"version must be a whole number from 0 to 2\^63 - 1"):
            double.predict([[1, 2]], version=version)  # type: ignore[arg-type]
    with pytest.raises(BadInputError, match="inputs must be an array, or lists of the same lengths"):
        double.predict([[1, 2], [3]])
    with pytest.raises(BadInputError, match=r"inputs\['x'\] must be an array"):
        double.predict({"x": [[1, 2], [3]]})


@pytest.mark.parametrize("wrong", [{"x-request-id": "a\r\nx-api-key: b"}, {"a b": "c"}, {"x": "é"}])
def test_a_header_cannot_bring_another(ask: Callable[[str], Client], wrong: dict[str, str]) -> None:
    with pytest.raises(BadInputError, match="headers must be names and values of plain text"):
        ask("double").predict(np.zeros((1, 2), np.float32), headers=wrong)
