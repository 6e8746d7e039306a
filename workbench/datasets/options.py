"""How data is read, where it does not say so itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from workbench.core.errors import BadInputError
from workbench.core.settings import Settings
from workbench.datasets.kinds import Kind  # noqa: TC001 - pydantic reads it
from workbench.datasets.scaling import Scale  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Collection


class ReadOptions(Settings):
    """What may be said about data of one's own."""

    label: str | None = Field(
        default=None, description="column of a CSV file that holds the classes; none is its label, class, target or y"
    )
    categorical: tuple[str, ...] = Field(
        default=(), description="columns of a CSV file whose values are names even where they look like numbers"
    )
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="which fifth of each class of a CSV file is the test")
    scaling: Scale | None = Field(
        default=None, description="how a table's numbers are scaled by its training part; none is standard"
    )
    kind: Kind | None = Field(
        default=None, description="what the arrays of an .npz file hold; none is told from their shape"
    )

    def require_among(self, names: Collection[str], what: str) -> None:
        """Refuse options that say nothing about this data.

        Args:
            names: Of the options that do.
            what: The data, for the sentence.

        Raises:
            BadInputError: One was given.
        """
        for name, value in self.given().items():
            if name not in names:
                known = f"it takes {', '.join(names)}" if names else "it takes no options"
                raise BadInputError.of(name, rule=f"must be left out for {what}", got=value, hint=known)

    def given(self) -> dict[str, object]:
        """Return the options that are not left as they are, as plain JSON."""
        return self.model_dump(mode="json", exclude_defaults=True)
