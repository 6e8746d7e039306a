"""A signature tells of what sums cannot: somebody who packed all of it anew."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING, NamedTuple

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from workbench.core.errors import BadInputError, MissingExtraError
from workbench.package import signing
from workbench.package.bundle import package
from workbench.package.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.artifact import Artifact


class Keys(NamedTuple):
    private: Path
    public: Path


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return _keys(tmp_path / "mine")


def _keys(folder: Path) -> Keys:
    folder.mkdir()
    key = ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / "key.pem").write_bytes(private)
    (folder / "public.pem").write_bytes(public)
    return Keys(folder / "key.pem", folder / "public.pem")


@pytest.fixture
def signed(tiny: Artifact, keys: Keys, tmp_path: Path) -> Path:
    pytest.importorskip("model_signing.signing", reason="needs the extra sign", exc_type=ImportError)
    return package(tiny, tmp_path, name="tiny", sign=keys.private)


def _unpack(archive: Path, folder: Path) -> Path:
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder / "tiny-1"


def test_without_the_library_it_says_what_to_install(
    tiny: Artifact, keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "model_signing"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "model_signing", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'lastmile-workbench\[sign\]'"):
        package(tiny, tmp_path, name="tiny", sign=keys.private)
    assert not list(tmp_path.glob("*.tar.gz"))


def test_a_package_that_nobody_signed_does_not_pass_for_signed(archive: Path, unpacked: Path, keys: Keys) -> None:
    for path in (archive, unpacked):
        found = verify(path, key=keys.public)
        assert (found.signature, [fault.kind for fault in found.faults]) == ("none", ["signature"])


def test_a_signature_holds_in_the_archive_and_in_its_folder(signed: Path, keys: Keys, tmp_path: Path) -> None:
    folder = _unpack(signed, tmp_path / "out")
    for path in (signed, folder):
        assert verify(path).signature == "unchecked"
        found = verify(path, key=keys.public)
        assert (found.signature, found.faults) == ("valid", ())


def test_another_key_is_told(signed: Path, tmp_path: Path) -> None:
    found = verify(signed, key=_keys(tmp_path / "other").public)
    assert (found.signature, [fault.kind for fault in found.faults]) == ("wrong", ["signature"])
    assert "model.sig does not hold" in found.reasons


def test_files_that_were_changed_together_with_their_sums_are_told(signed: Path, keys: Keys, tmp_path: Path) -> None:
    folder = _unpack(signed, tmp_path / "out")
    before = (folder / "SHA256SUMS").read_text()
    (folder / "client.py").write_text("worse")
    sums = subprocess.run(["sha256sum", "client.py"], cwd=folder, capture_output=True, text=True, check=True).stdout
    lines = [sums if line.endswith("  client.py\n") else line for line in before.splitlines(keepends=True)]
    (folder / "SHA256SUMS").write_text("".join(lines))
    assert verify(folder).passed  # nobody asked for the signature
    found = verify(folder, key=keys.public)
    assert (found.signature, [fault.kind for fault in found.faults]) == ("wrong", ["signature"])
    assert found.reasons == ("model.sig does not hold: these files are not as they were signed: SHA256SUMS, client.py.")


def test_files_that_were_added_or_taken_out_are_told(signed: Path, keys: Keys, tmp_path: Path) -> None:
    folder = _unpack(signed, tmp_path / "out")
    (folder / ".gitignore").write_text("a file that signing leaves out unless told")
    assert "as they were signed: .gitignore." in verify(folder, key=keys.public).reasons
    (folder / "client.py").unlink()
    assert "as they were signed: .gitignore, client.py." in verify(folder, key=keys.public).reasons


@pytest.mark.parametrize("content", [b"", b"{}", b"no json", b'{"mediaType": 5}'])
def test_a_signature_that_is_none_is_told(content: bytes, signed: Path, keys: Keys, tmp_path: Path) -> None:
    folder = _unpack(signed, tmp_path / "out")
    (folder / "model.sig").write_bytes(content)
    assert verify(folder, key=keys.public).signature == "wrong"


def test_keys_that_are_none_are_refused(signed: Path, tiny: Artifact, keys: Keys, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="key must be the file of a public key"):
        verify(signed, key=tmp_path / "nothing.pem")
    with pytest.raises(BadInputError, match="key must be a public key in PEM"):
        verify(signed, key=signed)
    for path in (tmp_path / "nothing.pem", keys.public):
        with pytest.raises(BadInputError, match="sign must be"):
            package(tiny, tmp_path / "again", name="tiny", sign=path)


def test_the_library_itself_verifies_it(signed: Path, keys: Keys, tmp_path: Path) -> None:
    folder = _unpack(signed, tmp_path / "out")
    command = [
        sys.executable, "-m", "model_signing", "verify", "key", ".", "--signature", "model.sig",
        "--public_key", str(keys.public), "--ignore-paths", "model.sig",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_is_left_in_the_temporary_folder(
    signed: Path, keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(signing.tempfile, "tempdir", str(scratch))
    assert verify(signed, key=keys.public).passed
    assert not list(scratch.iterdir())
