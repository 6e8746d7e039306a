"""Signatures by `model-signing` (OpenSSF), an extra: an elliptic-curve key, and one file that covers all others."""

from __future__ import annotations

import importlib
import re
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError, MissingExtraError
from workbench.package.archive import chunks_of
from workbench.package.facts import SIGNATURE
from workbench.package.gzip_frame import GzipReader
from workbench.package.tar_members import members

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from workbench.package.archive import Content

_LONGEST_REASON = 200


def sign(files: Mapping[str, Content], key: Path) -> bytes:
    """Return a signature of files by their paths: a Sigstore bundle, whose bytes differ each time.

    Args:
        files: Contents by path.
        key: Private key, PEM, of P-256, P-384 or P-521, without a passphrase.

    Raises:
        MissingExtraError: `model-signing` is not installed.
        BadInputError: The key cannot sign.
    """
    model_signing = _library()
    if not key.is_file():
        raise BadInputError.of("sign", rule="must be the file of a private key", got=str(key), hint=_HOW)
    with _scratch() as folder:
        for name, content in files.items():
            _write(folder / "package" / name, chunks_of(content))
        made = folder / SIGNATURE
        try:
            signer = model_signing.signing.Config().use_elliptic_key_signer(private_key=key)
            signer.set_hashing_config(_hashing(model_signing)).sign(folder / "package", made)
        except (ValueError, TypeError, OSError) as error:
            raise BadInputError.of(
                "sign", rule="must be a private key that can sign", got=_short(error), hint=_HOW
            ) from None
        return made.read_bytes()


def check_signature(place: Path, key: Path) -> str | None:
    """Return why a package's signature does not hold, or None where it does.

    Args:
        place: An archive that can be unpacked safely, or a folder.
        key: Public key, PEM.

    Raises:
        MissingExtraError: `model-signing` is not installed.
        BadInputError: The key is none.
    """
    model_signing = _library()
    if not key.is_file():
        raise BadInputError.of("key", rule="must be the file of a public key", got=str(key))
    try:
        verifier = model_signing.verifying.Config().use_elliptic_key_verifier(public_key=key)
    except (ValueError, TypeError) as error:
        raise BadInputError.of("key", rule="must be a public key in PEM", got=_short(error)) from None
    with _scratch() as folder:
        _copy(place, folder / "package")
        signature = (folder / "package" / SIGNATURE).rename(folder / SIGNATURE)
        try:
            verifier.set_hashing_config(_hashing(model_signing)).verify(folder / "package", signature)
        except Exception as error:  # noqa: BLE001 - a signature of strangers fails in many libraries' ways
            return _difference(str(error)) or _short(error)
    return None


_HOW = "make one with `openssl ecparam -genkey -name prime256v1 -noout -out key.pem`"


def _library() -> Any:
    try:
        for part in ("hashing", "signing", "verifying"):
            importlib.import_module(f"model_signing.{part}")
        return importlib.import_module("model_signing")
    except ImportError as error:
        package = "pyopenssl" if (error.name or "").partition(".")[0] == "OpenSSL" else "model-signing"
        raise MissingExtraError.of("A signature", package, "sign") from None


def _hashing(model_signing: Any) -> Any:
    # Files of git count too: it leaves them out unless told.
    return model_signing.hashing.Config().set_ignored_paths(paths=[], ignore_git_paths=False)


@contextmanager
def _scratch() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="workbench-package-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy(place: Path, folder: Path) -> None:
    if place.is_dir():
        shutil.copytree(place, folder)
        return
    with place.open("rb") as stream:
        for member in members(GzipReader(stream).read):
            if member.what == "file":
                _write(folder / member.name.partition("/")[2], member.chunks())


def _write(path: Path, chunks: Iterator[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.writelines(chunks)


def _difference(said: str) -> str:
    # The library shows raw digests; which files it means is what people need.
    changed = re.findall(r"Hash mismatch for '(.*?)': Expected", said)
    listed = re.findall(r"(?:Extra files found|Missing files) in model 'package': (.*?)['\"](?:, ['\"]|\])", said)
    return f"these files are not as they were signed: {', '.join([*listed, *changed])}" if changed or listed else ""


def _short(error: Exception) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:_LONGEST_REASON].rstrip(".")
