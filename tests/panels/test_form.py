from __future__ import annotations

from typing import Literal

import pytest
from pydantic import Field

from workbench.core.errors import BadInputError
from workbench.core.settings import Settings
from workbench.panels.form import Form, complaints


class Oven(Settings):
    degrees: int = Field(default=180, ge=50, le=300, description="heat inside")
    minutes: float = Field(default=20, gt=0, description="time in the oven")
    fan: bool = Field(default=False, description="whether air moves")
    rack: Literal["low", "high"] = Field(default="low", description="where it stands")
    probe: int | None = Field(default=None, ge=30, description="stop at this core heat")


def form() -> Form:
    return Form(Oven, values=Oven().model_dump(), shown=("rack", "degrees"), looks={"degrees": {"label": "Heat"}})


def test_controls_follow_the_declaration() -> None:
    fields = {field["name"]: field for field in form().widget.fields}
    assert list(fields) == ["rack", "degrees", "minutes", "fan", "probe"]
    assert [field["kind"] for field in fields.values()] == ["choice", "int", "float", "bool", "int"]
    assert fields["degrees"]["label"] == "Heat"
    assert (fields["degrees"]["low"], fields["degrees"]["high"], fields["degrees"]["help"]) == (50, 300, "heat inside")
    assert [choice["value"] for choice in fields["rack"]["choices"]] == ["low", "high"]
    assert [name for name, field in fields.items() if field["advanced"]] == ["minutes", "fan", "probe"]
    assert fields["probe"]["optional"]


def test_each_wrong_value_has_its_sentence_beside_it() -> None:
    built = form()
    built.write({"degrees": 900, "minutes": "soon", "rack": "middle"})
    assert set(built.widget.errors) == {"degrees", "minutes", "rack"}
    assert built.widget.errors["degrees"].startswith("degrees must be at most 300, got 900")
    assert not built.valid
    with pytest.raises(BadInputError, match="must be"):
        built.read()
    built.write({"degrees": 200, "minutes": 5, "rack": "high", "nonsense": 1})
    assert built.valid
    assert built.read() == Oven(degrees=200, minutes=5, rack="high")


def test_a_change_is_told_after_the_errors_are_up_to_date() -> None:
    built, seen = form(), []
    built.on_change(lambda: seen.append(built.valid))
    built.write({"degrees": 1})
    built.write({"degrees": 100})
    assert seen == [False, True]


def test_complaints_of_right_values_are_none() -> None:
    assert complaints(Oven, Oven().model_dump()) == {}
