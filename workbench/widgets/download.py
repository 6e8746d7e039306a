"""Gives the person at the page a file."""

from __future__ import annotations

from workbench.widgets.base import Leaf

MOST_BYTES = 50_000_000


class Download(Leaf, asset="download"):
    """Draws nothing; what is offered is saved where the browser saves files."""

    def offer(self, name: str, data: bytes, media: str = "application/octet-stream") -> None:
        """Send a file to the page.

        Args:
            name: Of the file.
            data: Its bytes, at most `MOST_BYTES`.
            media: Its media type.

        Raises:
            ValueError: It is too large for one message.
        """
        if len(data) > MOST_BYTES:
            raise ValueError(f"{name} has {len(data):,} bytes, more than the {MOST_BYTES:,} that a page is sent.")
        self.send({"type": "file", "name": name, "media": media}, buffers=[data])
