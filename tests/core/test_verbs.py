import inspect
import pydoc
import subprocess
import sys

import pytest

import workbench
from workbench.core.verbs import callable_package

VERBS = ["train", "evaluate", "convert", "compress", "sweep", "serve"]


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb_shows_what_it_takes(verb: str) -> None:
    package = getattr(workbench, verb)
    shown = pydoc.plain(pydoc.render_doc(package))
    assert f"workbench.{verb}(" in shown
    for words in ("Args:", "Raises:", "workspace: Workspace | None = None,"):
        assert words in shown
    parameters = inspect.signature(package).parameters
    assert "workspace" in parameters
    assert all(f"{name}:" in shown for name in parameters if name != "on_event")


def test_a_verb_has_the_signature_of_its_function() -> None:
    from workbench.compress.run import compress

    ours, theirs = inspect.signature(workbench.compress), inspect.signature(compress)
    assert list(ours.parameters) == list(theirs.parameters)
    assert "method: Method | str | Recipe | Sequence[Method | str]," in str(ours)


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    code = (
        "import sys, workbench.compress, workbench.train\n"
        "assert 'workbench.compress.run' not in sys.modules\n"
        "assert 'workbench.train.fit' not in sys.modules\n"
        "assert 'Args:' in workbench.compress.__doc__\n"
        "assert 'workbench.compress.run' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_parameters_that_go_by_name_only_are_told_apart() -> None:
    module = type(sys)("verb_of_a_test")
    module.__doc__ = "Joins."
    sys.modules["verb_of_a_test"] = module
    try:
        callable_package("verb_of_a_test", "os.path:samefile")
        assert "verb_of_a_test(\n    f1,\n    f2,\n)" in (module.__doc__ or "")
        assert (module.__doc__ or "").startswith("Joins.")
    finally:
        del sys.modules["verb_of_a_test"]
