"""The walls of the house, read from the source."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "workbench"
FILES = sorted(p for p in PACKAGE.rglob("*.py") if "notebooks" not in p.relative_to(PACKAGE).parts)
ORDER = (
    *("core", "jobs", "datasets", "train", "evaluate", "convert", "compress", "sweep", "package", "serve"),
    *("monitor", "pipeline", "figures", "report", "widgets", "panels", "dashboards", "lessons", "cli"),
)
FRAMEWORKS = {"tensorflow", "tf_keras", "keras", "tensorflow_model_optimization", "tf2onnx", "onnx", "torch"}
PICTURES = {"plotly", "ipywidgets", "anywidget", "IPython"}


def imports(path: Path, *, module_scope_only: bool = False) -> set[str]:
    """Dotted names that a file imports; imports for type checking only do not run and do not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if module_scope_only and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(tree)
    return found


def floor(path: Path) -> str:
    """The package (line of the house) that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def ours(path: Path) -> set[str]:
    names = (name.split(".") for name in imports(path) if name.startswith("workbench."))
    return {parts[1] for parts in names if parts[1] in ORDER}


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_has_a_floor(path: Path) -> None:
    assert floor(path) in {*ORDER, "__init__", "__main__"}


@pytest.mark.parametrize("path", [p for p in FILES if floor(p) in ORDER], ids=name_of)
def test_imports_come_only_from_above(path: Path) -> None:
    above = set(ORDER[: ORDER.index(floor(path)) + 1])
    assert ours(path) <= above


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_framework_at_module_scope(path: Path) -> None:
    tops = {name.split(".")[0] for name in imports(path, module_scope_only=True)}
    assert not tops & FRAMEWORKS


@pytest.mark.parametrize("path", [p for p in FILES if floor(p) == "core"], ids=name_of)
def test_core_needs_only_pydantic_and_numpy(path: Path) -> None:
    tops = {name.split(".")[0] for name in imports(path)} - {""}
    assert tops <= sys.stdlib_module_names | {"workbench", "pydantic", "pydantic_core", "numpy"}


@pytest.mark.parametrize("path", [p for p in FILES if floor(p) in ORDER[: ORDER.index("figures")]], ids=name_of)
def test_the_library_works_headless(path: Path) -> None:
    assert not {name.split(".")[0] for name in imports(path)} & PICTURES


@pytest.mark.parametrize(
    ("who", "may"),
    [
        ("figures", {"core", "figures"}),
        ("widgets", {"widgets"}),
        ("dashboards", {"core", "panels", "dashboards"}),
    ],
)
def test_faces_know_little(who: str, may: set[str]) -> None:
    for path in FILES:
        if floor(path) == who:
            assert ours(path) <= may, path


@pytest.mark.parametrize("who", ["core", "train", "compress", "sweep", "serve", "monitor", "pipeline", "cli"])
def test_modules_of_a_package_import_in_one_direction(who: str) -> None:
    """Also inside functions; a circle is named by the modules that are left when nothing can be taken away."""
    names = {".".join(p.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): p for p in FILES}
    left = {name: imports(path) & names.keys() - {name} for name, path in names.items() if floor(path) == who}
    while free := {name for name, needs in left.items() if not needs & left.keys()}:
        left = {name: needs for name, needs in left.items() if name not in free}
    # What is above a circle remains too; only those that something in it imports are the circle.
    assert not {name for name in left if any(name in needs for needs in left.values())}


def test_figures_read_records_only() -> None:
    for path in (p for p in FILES if floor(p) == "figures"):
        core = {name for name in imports(path) if name.startswith("workbench.core.")}
        # They say what they show, in the reader's language.
        assert all(name.startswith(("workbench.core.records", "workbench.core.language")) for name in core), path


def test_panels_do_not_import_each_other() -> None:
    shared = {"base", "form", "live", "session", "__init__"}
    folder = PACKAGE / "panels"
    units = {p.stem for p in folder.glob("*.py")} - shared
    for path in folder.glob("*.py"):
        seen = {n.split(".")[2] for n in imports(path) if n.startswith("workbench.panels.")}
        assert not (seen & units) - {path.stem}, path


def test_import_is_light() -> None:
    code = (
        "import sys, workbench; from workbench import Artifact, Gate, load_dataset, attach\n"
        "heavy = {'tensorflow', 'tf_keras', 'keras', 'plotly', 'ipywidgets', 'sklearn', 'torch'}\n"
        "bad = heavy & set(sys.modules)\n"
        "sys.exit(f'imported: {bad}' if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_public_name_exists() -> None:
    code = "import workbench\nfor name in workbench.__all__: getattr(workbench, name)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
