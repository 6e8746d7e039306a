from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.errors import BadInputError
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset, csv_file, load_dataset
from workbench.datasets.content import Content, store
from workbench.datasets.csv_table import read_table
from workbench.datasets.options import ReadOptions

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.datasets.base import RawData

HEADER = "number,age,city,member,weight,remark,country,class"
CITIES, CLASSES = ("Rome", "Paris", "Oslo"), ("yew", "ash")


def line(index: int) -> str:
    weight = "NA" if index % 9 == 0 else 50 + index / 2
    member = "yes" if index % 5 else "no"
    return f'{index},{20 + index % 37},{CITIES[index % 3]},{member},{weight},"so, {index}",IT,{CLASSES[index % 2]}'


LINES = [line(index) for index in range(60)]
GOOD = "\n".join([HEADER, *LINES]) + "\n"


def changed(row: int, text: str) -> str:
    """Return the good file with another text in a row, counted as a spreadsheet does."""
    return "\n".join([HEADER, *LINES[: row - 2], text, *LINES[row - 1 :]])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "trees.csv"


def read(file: Path, text: str | bytes, **options: Any) -> RawData:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_table(file, ReadOptions(**options))


def opened(raw: RawData, folder: Path) -> Dataset:
    return Dataset.open(store(Workspace.at(folder), "trees", Content.checked(raw)))


def test_each_column_is_taken_for_what_it_holds_and_that_is_said(file: Path) -> None:
    raw = read(file, GOOD)
    assert [(each.name, each.type) for each in raw.columns] == [
        ("age", "number"), ("city", "category"), ("member", "boolean"), ("weight", "number"),
    ]  # fmt: skip
    assert raw.columns[1].features == ("city=Oslo", "city=Paris", "city=Rome")
    assert raw.classes == ("ash", "yew")
    assert (raw.x_train.shape, raw.x_test.shape) == ((48, 6), (12, 6))
    assert raw.x_train.dtype == np.float32
    assert np.bincount(raw.y_test).tolist() == [6, 6]
    for said in (
        "The label of trees.csv is class.",
        "Numbers, scaled by mean and standard deviation of the training part: age, weight.",
        "Yes or no: member.",
        "Categories: city (3).",
        "Dropped: number (numbers of rows), remark (48 different texts), country (always the same).",
        "Missing, filled by the training median: weight (7, by ",
    ):
        assert said in raw.note
    numbers = raw.x_train[:, [0, 5]].astype(np.float64)
    assert numbers.mean(axis=0) == pytest.approx([0, 0], abs=1e-6)
    assert numbers.std(axis=0) == pytest.approx([1, 1], abs=1e-6)
    assert set(np.unique(raw.x_train[:, 1:5])) == {0, 1}
    assert (raw.x_train[:, 1:4].sum(axis=1) == 1).all()


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_line_ends_and_a_mark_of_utf8_are_told(file: Path, delimiter: str, end: str) -> None:
    plain = GOOD.replace('"so, ', "so ").replace('"', "")
    here = read(file, plain)
    there = read(file, b"\xef\xbb\xbf" + plain.replace(",", delimiter).replace("\n", end).encode())
    assert np.array_equal(here.x_train, there.x_train)
    assert here.columns == there.columns


def test_quotes_hold_delimiters_quotes_and_line_ends(file: Path) -> None:
    text = GOOD.replace("Rome", '"Rome, ""the\ncity"""')
    assert read(file, text).columns[1].categories == ("Oslo", "Paris", 'Rome, "the\ncity"')
    with pytest.raises(BadInputError, match=r"row 9, column age, must be a number .* got 'old'"):
        read(file, text.replace("\n7,27,", "\n7,old,"))


@pytest.mark.parametrize(
    ("text", "options", "sentence"),
    [
        ("", {}, "^trees.csv must not be empty, got '0 bytes'"),
        (" \n \n", {}, "^trees.csv must not be empty"),
        (HEADER, {}, "^trees.csv must hold rows under its header, got 'only a header'"),
        ("\n".join(LINES), {}, r"^label must be one of trees\.csv's columns"),
        ("1,2\n" + "3,4\n" * 20, {}, "^trees.csv must begin with a header that names its columns, got '1, 2'"),
        (GOOD.replace("age", "city"), {}, "column 3, must have a name that no other column has, got 'city'.*column 2"),
        (GOOD, {"label": "species"}, r"^label must be one of trees\.csv's columns \(number, age, .*got 'species'"),
        (GOOD.replace("class", "kind"), {}, r"^label must be one of .*, got None; say label='…', or call it label"),
        (changed(7, "5,25,Rome,yes"), {}, r"^trees\.csv, row 7, must have 8 values like the header, got 4; put texts"),
        (changed(7, "5,25,Rome,yes,1,2,3,yew,9"), {}, r"^trees\.csv, row 7, must have 8 values .* got 9"),
        (
            changed(7, "5,old,Rome,yes,1,so,IT,yew"),
            {},
            r"row 7, column age, must be a number .* got 'old'; .*categorical",
        ),
        (changed(7, "5,1e400,Rome,yes,1,so,IT,yew"), {}, r"row 7, column age, must be finite .* got '1e400'"),
        (changed(7, "5,-inf,Rome,yes,1,so,IT,yew"), {}, r"row 7, column age, must be finite .* got '-inf'"),
        (changed(7, "5,1_000,Rome,yes,1,so,IT,yew"), {}, r"row 7, column age, must be a number .* got '1_000'"),
        (changed(7, '5,"25,5",Rome,yes,1,so,IT,yew'), {}, r"row 7, column age, must be .* decimal point, got '25,5'"),
        (changed(7, "5,25,Rome,yes,1,so,IT,"), {}, r"row 7, label column class, must say the row's class, got ''"),
        (changed(7, "5,25,Rome,yes,1,so,IT,nan"), {}, r"row 7, label column class, must say the row's class"),
        (changed(7, "5,25,Rome,yes,1,so,IT,oak"), {}, "must hold at least 5 rows of each class, got 'oak: 1'"),
        (GOOD.replace("ash", "yew"), {}, "label column class, must hold at least 2 classes, got 'only yew'"),
        (changed(7, '5,25,"Rome,yes,1,so,IT,yew'), {}, r"^trees\.csv, row 7, must be a row of CSV, got .*close every"),
        (GOOD.encode("utf-16"), {}, r"^trees\.csv, row 1, must be UTF-8 text, got b'\\xff'; save it as CSV UTF-8"),
        (GOOD.encode() + b"\xe9", {}, r"^trees\.csv, row 62, must be UTF-8 text, got b'\\xe9'"),
        ("class\n" + "yew\nash\n" * 9, {}, "must have a column besides class .* got 'no other column'"),
        ("a,class\n" + "1,yew\n1,ash\n" * 9, {}, r"must have a column besides class .* got 'a \(always the same\)'"),
        (GOOD, {"categorical": ["zip"]}, "^categorical must name columns among number, age, .* got 'zip'"),
        (GOOD, {"categorical": ["class"]}, "^categorical must name columns among"),
    ],
)
def test_a_problem_is_one_sentence_with_its_row_and_column(
    file: Path, text: str | bytes, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(BadInputError, match=sentence) as caught:
        read(file, text, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([str(index) for index in range(1001)], "must hold at most 1000 classes, got '1001 different'"),
        ([str(index / 7) for index in range(30)], "must hold classes, got '30 different numbers'"),
    ],
)
def test_a_label_of_many_numbers_is_a_regression_and_that_is_not_supported(
    file: Path, values: list[str], said: str
) -> None:
    rows = "".join(f"{index % 7},{value}\n" for index, value in enumerate(values * 5))
    with pytest.raises(BadInputError, match=f"{said}; only classification is supported, not regression"):
        read(file, "x,y\n" + rows)


def test_a_file_too_large_is_refused_before_it_is_read(file: Path, workspace: Workspace) -> None:
    with file.open("wb") as sparse:
        sparse.truncate(2 << 30)
    with pytest.raises(BadInputError, match=r"^trees\.csv must be at most 256 MiB, got '2,048 MiB'; take fewer rows"):
        load_dataset(file, workspace=workspace)


def test_too_many_values_are_refused_while_they_are_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file, "MOST_VALUES", 100)
    with pytest.raises(BadInputError, match=r"^trees\.csv must hold at most 100 values, got 'more by row 14'"):
        read(file, GOOD)


def test_labels_that_are_numbers_are_in_their_order(file: Path) -> None:
    raw = read(file, "x,y\n" + "".join(f"{index % 4},{('10', '9', '9.0')[index % 3]}\n" for index in range(30)))
    assert raw.classes == ("9", "10")


def test_categories_are_learnt_from_the_training_part_and_an_unknown_one_is_zeros(file: Path) -> None:
    _, held = split_of(file)
    lines = list(LINES)
    lines[held[0]] = lines[held[0]].replace(CITIES[held[0] % 3], "Atlantis")
    raw = read(file, "\n".join([HEADER, *lines]))
    assert raw.columns[1].categories == ("Oslo", "Paris", "Rome")
    assert raw.x_test[0, 1:4].tolist() == [0, 0, 0]
    assert "Only in the test split, left as zeros: city (Atlantis)." in raw.note


def test_numbers_are_a_category_where_that_is_said(file: Path) -> None:
    raw = read(file, GOOD, categorical=["age"], scaling="minmax")
    assert raw.columns[0].type == "category"
    assert len(raw.columns[0].categories) > 20
    weights = raw.x_train[:, -1]
    assert (weights.min(), weights.max()) == (0, 1)


def test_the_split_depends_on_the_seed_alone(file: Path) -> None:
    first, again, other = (read(file, GOOD, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.x_test, again.x_test)
    assert not np.array_equal(first.x_test, other.x_test)


def split_of(file: Path) -> tuple[list[int], list[int]]:
    """Return which lines are trained on and which are held back, told by a column that numbers them."""
    lines = "".join(f"{(index * 7) % 60},{CLASSES[index % 2]}\n" for index in range(60))
    raw = read(file, "place,class\n" + lines, scaling="none")
    places = {(index * 7) % 60: index for index in range(60)}
    return [places[int(x)] for x in raw.x_train[:, 0]], [places[int(x)] for x in raw.x_test[:, 0]]


@settings(max_examples=25, deadline=None)
@given(values=st.lists(st.floats(-1e30, 1e30), min_size=12, max_size=12), city=st.sampled_from(["Rome", "?", "Ys"]))
def test_what_is_learnt_does_not_depend_on_the_test_part(
    tmp_path_factory: pytest.TempPathFactory, values: list[float], city: str
) -> None:
    file = tmp_path_factory.mktemp("table") / "trees.csv"
    _, held = split_of(file)
    before = read(file, GOOD)
    lines = list(LINES)
    for index, value in zip(held, values, strict=True):
        cells = lines[index].split(",")
        cells[1], cells[2], cells[4] = repr(value), city, "" if value < 0 else repr(value)
        lines[index] = ",".join(cells)
    after = read(file, "\n".join([HEADER, *lines]))
    assert after.columns == before.columns
    assert np.array_equal(after.x_train, before.x_train)


def test_new_rows_become_the_very_same_features(file: Path, tmp_path: Path) -> None:
    data = opened(read(file, GOOD), tmp_path)
    trained, held = split_of(file)
    names = HEADER.split(",")
    rows = [dict(zip(names, text.replace('"so, ', "so ").replace('"', "").split(","), strict=True)) for text in LINES]
    assert np.array_equal(data.transform([rows[index] for index in trained]), data.floats("train"))
    assert np.array_equal(data.transform([rows[index] for index in held]), data.floats("test"))
    mixed = {"age": 27, "city": "Paris", "member": True, "weight": None}
    texts = ["27", " Paris ", "Yes", "n/a"]
    assert np.array_equal(data.transform([mixed]), data.transform([texts]))
    assert data.transform([{**mixed, "city": "Atlantis"}])[0, 1:4].tolist() == [0, 0, 0]
    assert data.transform([{**mixed, "weight": float("nan"), "more": 1}]).tolist() == data.transform([mixed]).tolist()
    assert data.transform([]).shape == (0, 6)


def test_a_sample_shows_the_row_that_it_was(file: Path, tmp_path: Path) -> None:
    data = opened(read(file, GOOD), tmp_path)
    trained, _ = split_of(file)
    for place in (0, 1, 5):
        index = trained[place]
        row = data.row("train", place)
        assert (row["age"], row["city"], row["member"]) == (20 + index % 37, CITIES[index % 3], index % 5 > 0)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"age": 3}, r"^rows\[1\] must have the columns age, city, member, weight, got 'no city'; give None"),
        ([1, 2], r"^rows\[1\] must have 4 values, one a column \(age, city, member, weight\), got '2 values'"),
        ("a,b,c,d", r"^rows\[1\] must be a mapping by column or a list of values"),
        (7, r"^rows\[1\] must be a mapping by column or a list of values, got 7"),
        (["old", "Rome", "yes", 1], r"^rows\[1\], column age, must be a number"),
        (["3,5", "Rome", "yes", 1], r"^rows\[1\], column age, must be written with a decimal point"),
        ([float("inf"), "Rome", "yes", 1], r"^rows\[1\], column age, must be finite"),
        ([1, "Rome", "perhaps", 1], r"^rows\[1\], column member, must be a yes or a no"),
        ([1, "Rome", 3, 1], r"^rows\[1\], column member, must be a yes or a no"),
    ],
)
def test_a_new_row_that_does_not_fit_is_named(file: Path, tmp_path: Path, row: Any, sentence: str) -> None:
    data = opened(read(file, GOOD), tmp_path)
    with pytest.raises(BadInputError, match=sentence):
        data.transform([[1, "Rome", "yes", 2], row])


def test_it_loads_through_a_job_and_is_found_again(file: Path, workspace: Workspace) -> None:
    file.write_text(GOOD)
    data = load_dataset(file, label="class", workspace=workspace)
    assert (data.name, data.kind, data.shape) == ("trees", "table", (6,))
    assert load_dataset(str(file), label="class", workspace=workspace) == data
    assert Dataset.open_spec(data.spec, workspace).columns == data.columns
    other = load_dataset(file, label="class", scaling="none", workspace=workspace)
    assert other.checksum != data.checksum
    assert other.row("test", 0) == data.row("test", 0)
    file.write_text(HEADER + "\n1,2\n")
    with pytest.raises(BadInputError, match=r"^trees\.csv, row 2, must have 8 values"):
        load_dataset(file, workspace=workspace)
