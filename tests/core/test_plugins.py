import sys
from abc import ABC
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.core.errors import BadInputError
from workbench.core.plugins import Registry


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry[ABC]]:
    package = tmp_path / "shapes_for_test"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "base.py").write_text(
        "from abc import ABC, abstractmethod\nclass Shape(ABC):\n    @abstractmethod\n    def area(self): ...\n"
    )
    (package / "square.py").write_text(
        "from shapes_for_test.base import Shape\n"
        "class _Hidden(Shape):\n    def area(self): return 0\n"
        "class Square(Shape):\n    def area(self): return 4\n"
    )
    (package / "words.py").write_text("class NotAShape: ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield Registry("shapes", "shapes_for_test", __import__("shapes_for_test.base").base.Shape)
    for name in [name for name in sys.modules if name.startswith("shapes_for_test")]:
        del sys.modules[name]


def test_a_unit_is_found_by_its_file_name(registry: Registry[ABC]) -> None:
    assert registry.names() == ("square",)
    assert registry.get("square")().area() == 4


def test_an_unknown_unit_lists_the_known(registry: Registry[ABC]) -> None:
    with pytest.raises(BadInputError, match="shape must be one of square, got 'circle'"):
        registry.get("circle")


def test_an_abstract_class_is_no_unit(registry: Registry[ABC], tmp_path: Path) -> None:
    (tmp_path / "shapes_for_test" / "half.py").write_text(
        "from abc import abstractmethod\nfrom shapes_for_test.base import Shape\n"
        "class Half(Shape):\n    @abstractmethod\n    def width(self): ...\n"
    )
    assert registry.names() == ("square",)
