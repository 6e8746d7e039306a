"""Whatever is changed, it is told, and by its name."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import tarfile
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.errors import BadInputError
from workbench.package.gzip_frame import GzipWriter
from workbench.package.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL = "models/tiny/1/model.onnx"


def told(path: Path, **asked: Any) -> list[tuple[str, str]]:
    """Kind and file of each fault, the gravest first."""
    return [(fault.kind, fault.file) for fault in verify(path, **asked).faults]


def resum(folder: Path) -> None:
    """Write the sums anew, as somebody does who knows of them."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "SHA256SUMS"
    ]
    (folder / "SHA256SUMS").write_text("".join(lines))


def frame(content: bytes, path: Path) -> Path:
    """A file that is as sound as one of ours from the outside."""
    with path.open("wb") as stream:
        packed = GzipWriter(stream)
        packed.write(content)
        packed.close()
    return path


def retar(archive: Path, path: Path, change: Callable[[tarfile.TarFile], None], **head: Any) -> Path:
    """The archive with more members, or other heads, well framed."""
    buffer = io.BytesIO()
    with tarfile.open(archive) as old, tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as new:
        for member in old:
            for name, value in head.items():
                setattr(member, name, value)
            new.addfile(member, old.extractfile(member))
        change(new)
    return frame(buffer.getvalue(), path)


def add(name: str, kind: bytes = tarfile.REGTYPE, content: bytes = b"", link: str = "") -> Callable[[Any], None]:
    member = tarfile.TarInfo(name)
    member.type, member.size, member.linkname = kind, len(content), link
    return lambda tar: tar.addfile(member, io.BytesIO(content))


def test_an_archive_and_its_folder_are_as_they_were_packed(archive: Path, unpacked: Path) -> None:
    whole, folder = verify(archive), verify(unpacked)
    assert (whole.faults, whole.name, whole.version, whole.signature) == ((), "tiny", 1, "none")
    assert folder.model_copy(update={"path": whole.path, "sha256": whole.sha256}) == whole
    assert whole.reasons == "every file is as it was packed"


def test_a_changed_file_is_named(unpacked: Path) -> None:
    (unpacked / "client.py").write_text("import os; os.system('worse')")
    assert told(unpacked) == [("changed", "client.py")]
    assert "client.py was changed: its sha256 must be" in verify(unpacked).reasons


def test_a_missing_and_an_added_file_are_named(unpacked: Path) -> None:
    (unpacked / "client.py").rename(unpacked / "kserve" / "client.py")
    assert told(unpacked) == [("missing", "client.py"), ("added", "kserve/client.py")]


def test_another_model_is_told_although_its_sum_was_written_anew(unpacked: Path) -> None:
    (unpacked / MODEL).write_bytes(b"another model")
    assert told(unpacked) == [("contradiction", "models/tiny/1/"), ("changed", MODEL)]
    resum(unpacked)
    assert told(unpacked) == [("contradiction", "models/tiny/1/")]


@pytest.mark.parametrize(("file", "key"), [("models/tiny/1/manifest.json", "sha256"), ("model_card.json", "model")])
def test_an_edited_manifest_is_told(file: str, key: str, unpacked: Path) -> None:
    document = json.loads((unpacked / file).read_text())
    (unpacked / file).write_text(json.dumps(document | {key: "f" * 64}))
    assert told(unpacked) == [("contradiction", file), ("changed", file)]
    resum(unpacked)
    assert told(unpacked) == [("contradiction", file)]


def test_a_better_verdict_than_the_cards_is_told(unpacked: Path) -> None:
    (unpacked / "verdict.json").write_text('{"passed": null, "lines": []}')
    resum(unpacked)
    assert told(unpacked) == [("contradiction", "verdict.json")]


@pytest.mark.parametrize("content", ["{", "[]", '{"layout": 2}', "[" * 100_000])
def test_facts_that_are_none_are_told(content: str, unpacked: Path) -> None:
    (unpacked / "package.json").write_text(content)
    resum(unpacked)
    assert ("contradiction", "package.json") in told(unpacked)


def test_sums_that_are_none_are_told(unpacked: Path) -> None:
    sums = unpacked / "SHA256SUMS"
    sums.write_text(sums.read_text().replace("  client.py", " *client.py"))
    assert told(unpacked) == [("changed", "SHA256SUMS"), ("added", "client.py")]
    sums.write_bytes(b"\xff\x00")
    assert ("changed", "SHA256SUMS") in told(unpacked)


def test_a_link_in_a_folder_is_told(unpacked: Path) -> None:
    (unpacked / MODEL).rename(unpacked.parent / "model.onnx")
    (unpacked / MODEL).symlink_to(unpacked.parent / "model.onnx")
    assert told(unpacked)[0] == ("unsafe", MODEL)
    (unpacked / "dir").symlink_to(unpacked.parent)
    assert ("unsafe", "dir") in told(unpacked)


@pytest.mark.parametrize(
    ("change", "file"),
    [
        (add("tiny-1/../../etc/passwd"), "../../etc/passwd"),
        (add("/etc/passwd"), "/etc/passwd"),
        (add("tiny-1//etc/passwd"), "/etc/passwd"),
        (add("tiny-1/C:/windows"), "C:/windows"),
        (add("tiny-1/a\\b"), "a\\b"),
        (add("tiny-1/a\nb"), "a\nb"),
        (add("elsewhere/file"), "elsewhere/file"),
        (add("tiny-1/link", tarfile.SYMTYPE, link="/etc/passwd"), "link"),
        (add("tiny-1/hard", tarfile.LNKTYPE, link="/etc/passwd"), "hard"),
        (add("tiny-1/pipe", tarfile.FIFOTYPE), "pipe"),
        (add("tiny-1/disk", tarfile.BLKTYPE), "disk"),
        (add("tiny-1/client.py", content=b"twice"), "client.py"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_members_that_lead_out_are_refused(
    change: Callable[[Any], None], file: str, archive: Path, tmp_path: Path
) -> None:
    made = retar(archive, tmp_path / "made.tar.gz", change)
    assert ("unsafe", file) in told(made)
    assert "do not unpack it." in verify(made).reasons


def test_a_top_folder_that_leads_out_is_refused(archive: Path, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(archive) as old, tarfile.open(fileobj=buffer, mode="w") as new:
        for member in old:
            member.name = member.name.replace("tiny-1", "..")
            new.addfile(member, old.extractfile(member))
    assert {kind for kind, _ in told(frame(buffer.getvalue(), tmp_path / "made.tar.gz"))} >= {"unsafe"}


def test_a_file_that_was_added_to_an_archive_is_told(archive: Path, tmp_path: Path) -> None:
    made = retar(archive, tmp_path / "made.tar.gz", add("tiny-1/zzz.txt", content=b"more"))
    assert told(made) == [("added", "zzz.txt")]


@pytest.mark.parametrize("head", [{"mtime": 5}, {"uname": "root"}, {"mode": 0o4755}, {"uid": 1}])
def test_heads_that_we_do_not_write_are_told(head: dict[str, Any], archive: Path, tmp_path: Path) -> None:
    made = retar(archive, tmp_path / "made.tar.gz", lambda _: None, **head)
    assert told(made) == [("archive", "")]
    assert "owners, times or bytes between files" in verify(made).reasons


def test_bytes_that_are_hidden_behind_the_end_are_told(archive: Path, tmp_path: Path) -> None:
    with tarfile.open(archive) as tar:
        content = zlib.decompress(archive.read_bytes()[48:-8], -zlib.MAX_WBITS)
        assert content.endswith(bytes(1024))
        assert tar.getnames()
    made = frame(content + b"hidden".ljust(512, b"\0"), tmp_path / "made.tar.gz")
    assert told(made) == [("archive", "")]


def test_an_archive_of_another_program_is_told_apart_from_a_changed_one(unpacked: Path, tmp_path: Path) -> None:
    made = tmp_path / "theirs.tar.gz"
    with tarfile.open(made, "w:gz") as tar:
        tar.add(unpacked, "tiny-1")
    assert told(made) == [("archive", "")]
    assert "packed by another program" in verify(made).reasons
    (unpacked / "client.py").write_text("worse")
    with tarfile.open(made, "w:gz") as tar:
        tar.add(unpacked, "tiny-1")
    assert told(made) == [("archive", ""), ("changed", "client.py")]


@pytest.mark.parametrize("kept", [0, 1, 47, 48, 100, -9, -1])
def test_a_truncated_archive_is_told(kept: int, archive: Path, tmp_path: Path) -> None:
    made = tmp_path / "part.tar.gz"
    made.write_bytes(archive.read_bytes()[:kept])
    assert told(made)[0] == ("archive", "")


def test_bytes_after_the_end_are_told(archive: Path, tmp_path: Path) -> None:
    made = tmp_path / "more.tar.gz"
    for more in (b"\0", archive.read_bytes()):
        made.write_bytes(archive.read_bytes() + more)
        assert set(told(made)) == {("archive", "")}
        assert "there are bytes after its end" in verify(made).reasons


def test_what_is_no_archive_at_all_is_told(tmp_path: Path) -> None:
    made = tmp_path / "noise.tar.gz"
    made.write_bytes(random.Random(0).randbytes(5000))
    assert told(made)[0] == ("archive", "")
    assert told(frame(b"no tar" * 500, tmp_path / "made.tar.gz"))[0] == ("archive", "")
    assert told(frame(b"", tmp_path / "empty.tar.gz"))[0] == ("archive", "")
    assert told(frame(bytes(10240), tmp_path / "empty.tar.gz")) == [("missing", "SHA256SUMS")]


def test_a_member_that_claims_much_is_not_believed(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    member = tarfile.TarInfo("tiny-1/huge")
    member.size = 1 << 60
    buffer.write(member.tobuf(tarfile.PAX_FORMAT) + bytes(5000))
    assert told(frame(buffer.getvalue(), tmp_path / "made.tar.gz"))[0] == ("archive", "")
    head = tarfile.TarInfo("pax")
    head.type, head.size = tarfile.XHDTYPE, 1 << 33
    made = frame(head.tobuf(tarfile.GNU_FORMAT) + b"1" * (1 << 20), tmp_path / "pax.tar.gz")
    assert told(made)[0] == ("archive", "")


def test_another_archive_than_the_one_that_is_expected_is_told(archive: Path, unpacked: Path) -> None:
    right = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert told(archive, sha256=right) == []
    assert told(archive, sha256="0" * 64) == [("sha256", "")]
    for path, sha256 in ((archive, "0" * 63), (archive, "G" * 64), (unpacked, right)):
        with pytest.raises(BadInputError, match="sha256 must be 64 digits"):
            verify(path, sha256=sha256)


def test_what_is_no_package_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing.tar.gz"):
        with pytest.raises(BadInputError, match="package must be an archive, or the folder with SHA256SUMS"):
            verify(path)


@settings(max_examples=150)
@given(data=st.data())
def test_a_tar_that_was_changed_and_framed_anew_is_told(archive: Path, data: st.DataObject) -> None:
    content = bytearray(zlib.decompress(archive.read_bytes()[48:-8], -zlib.MAX_WBITS))
    start = data.draw(st.integers(0, len(content) - 1))
    piece = data.draw(st.binary(min_size=1, max_size=20))
    changed = (
        bytes(content[:start]) + piece + bytes(content[start + data.draw(st.sampled_from([0, len(piece), 512])) :])
    )
    if changed == bytes(content):
        return
    with tempfile.TemporaryDirectory() as folder:
        assert told(frame(changed, Path(folder) / "made.tar.gz"))


@settings(max_examples=40)
@given(content=st.binary(max_size=300), document=st.sampled_from(["package.json", "model_card.json", "SHA256SUMS"]))
def test_documents_of_noise_are_told(archive: Path, content: bytes, document: str) -> None:
    with tempfile.TemporaryDirectory() as folder, tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
        home = Path(folder) / "tiny-1"
        (home / document).write_bytes(content)
        assert told(home)
        resum(home)
        found = verify(home)
        assert found.faults or document == "SHA256SUMS"


def test_a_name_that_is_no_text_is_told(unpacked: Path) -> None:
    (unpacked / os.fsdecode(b"\xff.txt")).write_bytes(b"")
    assert told(unpacked) == [("unsafe", "\\udcff.txt")]
    assert verify(unpacked).to_json()


def flipped(archive: Path, path: Path, index: int, mask: int) -> Path:
    data = bytearray(archive.read_bytes())
    data[index] ^= mask
    path.write_bytes(data)
    return path


def test_a_bit_that_flips_in_an_archive_is_told(archive: Path, tmp_path: Path) -> None:
    size = archive.stat().st_size
    # All of the head, and of what gzip itself does not protect: the last byte of its stream and its checksums.
    places = [*range(64), *range(64, size - 16, 197), *range(size - 16, size)]
    for index in places:
        for bit in (0, 3, 7) if index < size - 16 else range(8):
            assert told(flipped(archive, tmp_path / "flipped.tar.gz", index, 1 << bit)), (index, bit)


@pytest.mark.thorough
def test_every_byte_of_an_archive_is_watched(archive: Path, tmp_path: Path) -> None:
    masks = random.Random(0)
    for index in range(archive.stat().st_size):
        assert told(flipped(archive, tmp_path / "flipped.tar.gz", index, masks.randrange(1, 256))), index


def test_a_byte_that_flips_in_a_folder_is_told_by_its_file(unpacked: Path) -> None:
    choice = random.Random(0)
    for path in [path for path in sorted(unpacked.rglob("*")) if path.is_file()]:
        before = path.read_bytes()
        for _ in range(8):
            data = bytearray(before)
            data[choice.randrange(len(data))] ^= 1 << choice.randrange(8)
            path.write_bytes(data)
            name = path.relative_to(unpacked).as_posix()
            files = {file for _, file in told(unpacked)}
            assert name in files or (name == "SHA256SUMS" and files), name
        path.write_bytes(before)
    assert not told(unpacked)
