"""`python -m workbench.serve.grpc.protos.compile`: write `descriptors.binpb` anew from the .proto files beside it.

Needs grpcio-tools, which is for developers; whoever installs the package has the compiled file.
"""

from __future__ import annotations

from importlib import import_module
from importlib.resources import files
from pathlib import Path

from workbench.serve.grpc.messages import DESCRIPTORS

FOLDER = Path(__file__).parent


def compile_protos(target: Path) -> None:
    """Compile all .proto files of this folder, with what they import, into one descriptor set.

    Args:
        target: The file to write.

    Raises:
        RuntimeError: The compiler refused one; it has said why on standard error.
    """
    protoc = import_module("grpc_tools.protoc")  # without types

    sources = sorted(path.name for path in FOLDER.glob("*.proto"))
    well_known = files("grpc_tools") / "_proto"
    command = ["protoc", f"-I{FOLDER}", f"-I{well_known}", "--include_imports", f"--descriptor_set_out={target}"]
    if protoc.main([*command, *sources]) != 0:
        raise RuntimeError("protoc refused the .proto files")


if __name__ == "__main__":
    compile_protos(FOLDER / DESCRIPTORS)
