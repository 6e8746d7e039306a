from typing import Literal

import pytest
from pydantic import Field, ValidationError

from workbench.core.errors import BadInputError, from_dict
from workbench.core.settings import Settings, describe


class Example(Settings):
    sparsity: float = Field(0.5, ge=0, lt=1, description="Share of weights set to zero.")
    clusters: int | None = Field(None, gt=1, description="Shared values a layer.")
    schedule: Literal["constant", "polynomial"] = Field("constant", description="How sparsity grows.")


class Named(Settings):
    name: str = Field("model", pattern="^[a-z]+$", max_length=8, description="Name in the URL.")
    size: int = Field(1, ge=1, le=500, description="How many.")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"sparsity": 1.0}, "sparsity must be below 1, got 1.0; it means: Share of weights set to zero."),
        ({"clusters": 1}, "clusters must be above 1, got 1; it means: Shared values a layer."),
        ({"schedule": "cubic"}, "schedule must be 'constant' or 'polynomial', got 'cubic'"),
        ({"sparsety": 0.1}, "sparsety is not a setting of Example; choose from: sparsity, clusters, schedule."),
        ({"sparsity": float("nan")}, "sparsity must be a finite number, got nan"),
        ({"sparsity": "much"}, "sparsity must be a valid number"),
    ],
)
def test_bad_input_is_one_sentence(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadInputError) as caught:
        Example.parse(values)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"name": "A!"}, "name must match pattern '^[a-z]+$', got 'A!'; it means: Name in the URL."),
        ({"name": "a" * 9}, "name must have at most 8 characters, got 'aaaaaaaaa'"),
        ({"name": 3}, "name must be a valid string, got 3"),
        ({"size": 501}, "size must be at most 500, got 501"),
        ({"size": 0}, "size must be at least 1, got 0"),
        ({"size": "ten"}, "size must be a valid integer"),
    ],
)
def test_a_rule_reads_as_one_phrase(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadInputError) as caught:
        Named.parse(values)
    assert str(caught.value).startswith(sentence)


def test_settings_are_frozen_and_replaced_with_validation() -> None:
    settings = Example(sparsity=0.25)
    with pytest.raises(ValidationError):
        settings.sparsity = 0.5  # type: ignore[misc]
    assert settings.replace(clusters=8) == Example(sparsity=0.25, clusters=8)
    with pytest.raises(BadInputError):
        settings.replace(sparsity=2)


def test_a_declaration_describes_its_form() -> None:
    sparsity, clusters, schedule = describe(Example)
    assert (sparsity.kind, sparsity.default, sparsity.low, sparsity.high) == ("float", 0.5, 0.0, 1.0)
    assert (clusters.kind, clusters.optional, clusters.low) == ("int", True, 1.0)
    assert (schedule.kind, schedule.choices) == ("choice", ("constant", "polynomial"))
    assert all(spec.description for spec in (sparsity, clusters, schedule))


def test_errors_cross_processes_as_text() -> None:
    error = BadInputError.of("epochs", rule="must be at least 1", got=0, hint="give a whole number")
    again = from_dict(error.to_dict())
    assert type(again) is BadInputError
    assert str(again) == "epochs must be at least 1, got 0; give a whole number."
    assert again.exit_code == 2


def test_the_docstring_lists_the_settings() -> None:
    class Documented(Example):
        """Makes it smaller."""

        seed: int = Field(0, ge=0, le=2**31 - 1, description="seed of the order")
        skip: tuple[str, ...] = Field((), description="layers that are left")

    lines = (Documented.__doc__ or "").splitlines()
    assert lines == [
        "Makes it smaller.",
        "",
        "Settings:",
        "    sparsity: Share of weights set to zero (default 0.5; at least 0, below 1).",
        "    clusters: Shared values a layer (default None; above 1).",
        "    schedule: How sparsity grows (default 'constant'; one of constant, polynomial).",
        "    seed: seed of the order (default 0; at least 0, at most 2,147,483,647).",
        "    skip: layers that are left (default ()).",
    ]
    assert Example.__doc__ is None
