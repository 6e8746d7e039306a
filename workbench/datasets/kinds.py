"""What the samples of a dataset are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind = Literal["images", "table", "samples"]

_TABLE_AXES, _IMAGE_AXES = 2, (3, 4)
_SAMPLE_OF_IMAGE = 3


def kind_of(axes: int, said: Kind | None = None) -> Kind:
    """Return what samples are: what was said, else what their shape says.

    Args:
        axes: Of the array, with that of the samples: 2 is a table, 3 and 4 are images, more are samples.
        said: Somebody's word.

    Raises:
        BadInputError: The word is another one.
    """
    if said is not None:
        if said not in get_args(Kind):
            raise BadInputError.of("kind", rule=f"must be one of {', '.join(get_args(Kind))}", got=said)
        return said
    if axes == _TABLE_AXES:
        return "table"
    # One axis is none of them: the check of images says what there is.
    return "images" if axes <= max(_IMAGE_AXES) else "samples"


def input_name(shape: Sequence[object]) -> str:
    """Return what models call the samples that they take.

    Args:
        shape: Of one sample: (H, W, C) is an image.
    """
    return "image" if len(shape) == _SAMPLE_OF_IMAGE else "features"
