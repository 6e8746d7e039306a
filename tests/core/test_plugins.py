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
    for name in [name for name in sys.modules if name.partition(".")[0].endswith("_for_test")]:
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


def test_a_unit_file_with_a_second_public_class_is_refused(registry: Registry[ABC], tmp_path: Path) -> None:
    (tmp_path / "shapes_for_test" / "two.py").write_text(
        "from shapes_for_test.base import Shape\n"
        "class Circle(Shape):\n    def area(self): return 3\n"
        "class Ring(Shape):\n    def area(self): return 2\n"
    )
    with pytest.raises(BadInputError, match=r"shapes_for_test\.two must have one public class.* got 'Circle, Ring'"):
        registry.names()


def test_a_kind_is_the_end_of_an_entry_point_group() -> None:
    with pytest.raises(BadInputError, match="kind must be a Python name, got 'round shapes'"):
        Registry("round shapes", "shapes_for_test", object)


@pytest.fixture
def plugins(tmp_path: Path, registry: Registry[ABC]) -> Registry[ABC]:
    """An installed package with one unit that works and three that do not."""
    del registry  # its package is on the path from here on
    (tmp_path / "outside_for_test.py").write_text(
        "from shapes_for_test.base import Shape\nclass Star(Shape):\n    def area(self): return 5\nnumber = 5\n"
    )
    (tmp_path / "broken_for_test.py").write_text("raise RuntimeError('two\\nlines')\n")
    info = tmp_path / "outside_for_test-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: outside-for-test\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[lastmile_workbench.shapes]\nstar = outside_for_test:Star\nbroken = broken_for_test:Unit\n"
        "number = outside_for_test:number\ngone = outside_for_test:Gone\nsquare = outside_for_test:Star\n"
    )
    return Registry("shapes", "shapes_for_test", __import__("shapes_for_test.base").base.Shape)


def test_a_broken_plugin_costs_the_others_nothing(plugins: Registry[ABC]) -> None:
    assert plugins.names() == ("square", "star")
    assert plugins.get("star")().area() == 5
    assert plugins.get("square")().area() == 4  # ours is what our name means
    with pytest.raises(BadInputError, match="one of square, star, got 'circle'"):
        plugins.get("circle")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("broken", "RuntimeError: two lines"),
        ("number", "outside_for_test:number is no usable Shape"),
        ("gone", "AttributeError: module 'outside_for_test' has no attribute 'Gone'"),
    ],
)
def test_a_broken_plugin_says_why_where_it_is_asked_for(plugins: Registry[ABC], name: str, reason: str) -> None:
    with pytest.raises(BadInputError) as caught:
        plugins.get(name)
    assert str(caught.value) == (
        f"The shape {name} of outside-for-test cannot be loaded ({reason}); repair or uninstall that plugin."
    )


def test_plugins_are_looked_for_once(plugins: Registry[ABC], tmp_path: Path) -> None:
    before = plugins.names()
    (tmp_path / "outside_for_test-1.0.dist-info" / "entry_points.txt").unlink()
    assert plugins.names() == before
    assert plugins.get("star")().area() == 5
