"""What is on disk: which folders are versions, and what a changed file is."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from workbench.serve.config.model_config import All, Latest, ModelConfig, Specific
from workbench.serve.versions.source import Source, fingerprint, version_of, versions_in

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "version"),
    [
        *(("1", 1), ("00000123", 123), ("0", 0), ("9223372036854775807", 2**63 - 1), ("0" * 30 + "7", 7)),
        *(("9223372036854775808", None), ("x", None), ("1.5", None), ("-1", None), ("", None), (" 1", None)),
        *((".new-1", None), ("1_000", None), ("١", None), ("9" * 70, None)),
    ],
)
def test_names(name: str, version: int | None) -> None:
    assert version_of(name) == version


def test_only_folders_count(tmp_path: Path) -> None:
    for name in ("10", "9", "x"):
        (tmp_path / name).mkdir()
    (tmp_path / "11").write_text("a file")
    (tmp_path / "12").symlink_to(tmp_path / "9")
    found, odd = versions_in(tmp_path)
    assert (list(found), odd) == ([9, 10, 12], [])


def test_of_two_that_mean_the_same_the_last_name_wins(tmp_path: Path) -> None:
    for name in ("123", "00000123", "0123"):
        (tmp_path / name).mkdir()
    found, odd = versions_in(tmp_path)
    assert {version: path.name for version, path in found.items()} == {123: "123"}
    assert odd[-1] == "version 123 is loaded from 123, 0123 is ignored"


@pytest.mark.parametrize(
    ("policy", "chosen"),
    [
        (Latest(), [4]),
        (Latest(num_versions=2), [3, 4]),
        (Latest(num_versions=9), [1, 3, 4]),
        (All(), [1, 3, 4]),
        (Specific(versions=(3, 1, 3)), [1, 3]),
        (Specific(), []),
    ],
)
def test_policies(tmp_path: Path, policy: Latest | All | Specific, chosen: list[int]) -> None:
    for version in (1, 3, 4):
        (tmp_path / str(version)).mkdir()
    wanted = Source().look(ModelConfig(name="m", base_path=str(tmp_path), policy=policy))
    assert wanted is not None
    assert list(wanted) == chosen


def test_what_is_odd_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = Source()
    config = ModelConfig(name="m", base_path=str(tmp_path / "base"), policy=Specific(versions=(7,)))
    with caplog.at_level(logging.WARNING):
        assert source.look(config) is None
        assert source.look(config) is None
        (tmp_path / "base").mkdir()
        assert source.look(config) == {}
        assert source.look(config) == {}
        (tmp_path / "base" / "7").mkdir()
        assert source.look(config) == {7: tmp_path / "base" / "7"}
    words = [record.message.split(str(tmp_path))[0] for record in caplog.records]
    assert words == [
        "m: could not find base path ",
        "m: version 7 was asked for and is not in ",
        "m: no versions found under ",
    ]


def test_a_fingerprint_changes_with_files(tmp_path: Path) -> None:
    seen = [fingerprint(tmp_path)]
    (tmp_path / "variables").mkdir()
    file = tmp_path / "variables" / "data"
    for content in ("", "a", "ab"):
        file.write_text(content)
        seen.append(fingerprint(tmp_path))
    assert len(set(seen)) == 4
    assert fingerprint(tmp_path) == seen[-1]
    assert fingerprint(tmp_path / "gone") == ()
