"""The place to drop a file of one's own: what a page sends is checked, kept, and handed on as a path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError, WorkbenchError
from workbench.core.language import _
from workbench.panels.parts.incoming import MOST_BYTES, MOST_BYTES_A_SESSION, SUFFIXES, Incoming
from workbench.widgets.upload import SLICE, Upload

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.panels.base import Panel
    from workbench.widgets.upload import Offer


class UploadView:
    """Receives one file at a time.

    Attributes:
        widget: The place.
    """

    def __init__(self, panel: Panel, kept: Callable[[Path], None]) -> None:
        """Wait for a file.

        Args:
            panel: Whose session it is; an unforeseen error is seen in its strip.
            kept: Gets where the file lies now, or the folder that came out of a zip.
        """
        self._panel, self._kept = panel, kept
        self._file: Incoming | None = None
        self.widget = Upload(
            title=_("Drop a file here"),
            note=_(
                "An .npz file of arrays, a .zip of class folders of images, or a .csv table, at most {most} MB. It is "
                "kept in the workspace of this server."
            ).format(most=MOST_BYTES // 10**6),
            suffixes=list(SUFFIXES), limit=MOST_BYTES, left=self._left, enabled=panel.session.may_act,
            label=_("Upload"),
        )  # fmt: skip
        self.widget.listen(self._safe(self._begin), self._safe(self._take), self._safe(self._end), self._cancel)

    def close(self) -> None:
        """Drop what is under way."""
        self._cancel()

    def say(self, text: str = "", *, error: str = "") -> None:
        """Say what came of the last file."""
        with self.widget.hold_sync():
            self.widget.busy, self.widget.done, self.widget.error = "", text, error

    @property
    def _left(self) -> int:
        return max(0, MOST_BYTES_A_SESSION - self._panel.session.uploaded)

    def _begin(self, offer: Offer) -> None:
        if self.widget.busy:
            raise BadInputError.of("file", rule="must wait for the one before it", got=offer.name)
        self._cancel()
        self.say()
        self._file = Incoming(self._panel.session.workspace, offer.name, offer.size, SLICE, self._left)
        # What was announced counts, also where it does not come: nobody can send and take back without end.
        self._panel.session.uploaded += offer.size
        self.widget.left = self._left

    def _take(self, at: int, part: memoryview) -> None:
        if self._file is None:
            raise BadInputError.of("file", rule="must be announced first", got=f"{len(part)} bytes")
        self._file.take(at, part)

    def _end(self) -> None:
        file, self._file = self._file, None
        if file is None:
            raise BadInputError.of("file", rule="must be announced first", got="its end")
        try:
            file.require_whole()
        except WorkbenchError:
            file.drop()
            raise
        self.widget.busy = _("Checking {name}").format(name=file.name)
        self._panel.in_background(file.keep, self._on_kept, self._on_failed)

    def _on_kept(self, path: Path) -> None:
        self.say(_("{name} is here").format(name=path.name))
        self._kept(path)

    def _on_failed(self, error: BaseException) -> None:
        if isinstance(error, WorkbenchError):
            self.say(error=str(error))
            return
        self.say(error=_("The file could not be kept."))
        self._panel.fail(error)

    def _cancel(self) -> None:
        if self._file is not None:
            self._file.drop()
            self._file = None

    def _safe(self, step: Callable[..., None]) -> Callable[..., None]:
        """Have a step hold the app's lock, and refuse the file where it goes wrong."""

        def held(*given: Any) -> None:
            with self._panel.session.live.lock:
                if self._panel.session.live.closed:
                    return
                try:
                    step(*given)
                except Exception as error:  # noqa: BLE001 - nothing may vanish
                    self._cancel()
                    self._on_failed(error)
                    self.widget.refuse(self.widget.error)

        return held
