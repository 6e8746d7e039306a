"""What the panels of one dashboard share: a workspace, and what is chosen in it."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

import traitlets

from workbench.core.role import may_act
from workbench.core.workspace import Workspace
from workbench.panels.live import Live
from workbench.panels.parts import link
from workbench.panels.parts.page_states import offer_states
from workbench.widgets.presence import Presence

if TYPE_CHECKING:
    from collections.abc import Callable

_NICE = "10"
_SECONDS_TO_START = 5.0
_SECONDS_BETWEEN_LOOKS = 0.05


class Session(traitlets.HasTraits):
    """Shared state; a panel observes what it needs, so panels do not know each other.

    Attributes:
        dataset: Name or path of the chosen dataset.
        run: Id of the training run that is shown.
        artifact: Folder of the model that was made last or chosen.
        variants: Folders of the models that are compared, by what people call them (`float`, `pruned 80 %`, …).
        sweep: Name of the sweep that is shown.
        server: Run id of the server that is shown.
        hard_set: Name of the set that drawn and mislabelled samples are kept in.
        place: Panel that the page was asked to go to, by its verb.
        uploaded: Bytes that the page has announced to send, of those that one session may.
        may_act: False on a page for viewing: no jobs, no uploads, no server is controlled. Nothing that a page sends
            can change it.
        workspace: Where runs are.
        live: Threads and lock of the app.
        presence: Leaf widget that says when a page shows this app.
    """

    dataset = traitlets.Unicode("")
    run = traitlets.Unicode("")
    artifact = traitlets.Unicode("")
    variants = traitlets.Dict()
    sweep = traitlets.Unicode("")
    server = traitlets.Unicode("")
    hard_set = traitlets.Unicode("drawn")
    place = traitlets.Unicode("")
    uploaded = traitlets.Int(0)

    def __init__(self, workspace: Workspace | None = None) -> None:
        super().__init__()
        self.may_act = may_act()
        self.workspace = Workspace.of(workspace)
        self.live = Live()
        self.presence = Presence()
        offer_states()
        self.observe(self._write_link, link.NAMES)

    def on_shown(self, refresh: Callable[[], None]) -> None:
        """Call back whenever a page has drawn the app: it may be long after the app was built."""
        self.presence.on_shown(refresh)

    def add_variant(self, label: str, folder: str) -> None:
        """Compare one more model, or another one under a label that is there."""
        self.variants = {**self.variants, label: folder}

    def open_link(self, query: str) -> None:
        """Choose what a link says, such as `?sweep=first`.

        Raises:
            BadInputError: It means nothing of this workspace; nothing is chosen then.
        """
        for name, value in link.opened(query, self.workspace).items():
            setattr(self, name, value)

    def _write_link(self, _change: object) -> None:
        self.presence.link = link.written({name: getattr(self, name) for name in link.NAMES}, self.workspace)

    def close(self) -> None:
        """End all threads of the app; jobs go on."""
        self.live.close()
        self.presence.close()


def warm(workspace: Workspace) -> str | None:
    """Have the workspace's job cluster start, if there is none; it imports TensorFlow meanwhile.

    Returns:
        The id of the cluster that was there before; None where this call started one.

    Raises:
        WorkspaceError: The workspace cannot be written.
    """
    from workbench.jobs import ensure_cluster
    from workbench.jobs.cluster import find

    before = find(workspace)
    ensure_cluster(workspace)
    return before.id if before is not None else None


def give_way(workspace: Workspace) -> None:
    """Have jobs step back behind what people look at: a click is answered first, also where all cores train.

    Linux shares the processor among sessions (`man 7 sched`, autogroup), and the cluster is a session of its own;
    elsewhere nothing is done. Jobs lose no time while nobody clicks.
    """
    from workbench.jobs.cluster import find

    cluster = find(workspace)
    if cluster is not None and cluster.pid:
        with contextlib.suppress(OSError):
            Path(f"/proc/{cluster.pid}/autogroup").write_text(_NICE, encoding="ascii")


def cool(workspace: Workspace, spare: str | None) -> int:
    """End the workspace's job cluster and what runs in it, unless it is the one to spare.

    Args:
        workspace: Whose cluster.
        spare: What `warm` returned: a cluster that others had started. It may have ended since and a click of ours
            have started another.

    Returns:
        How many jobs were queued or running; each can be resumed, a training from its last epoch.
    """
    from workbench.jobs import jobs, stop_cluster
    from workbench.jobs.cluster import find

    now = find(workspace)
    if spare is not None and (now is None or now.id == spare):
        return 0
    unfinished = sum(job.state in ("queued", "running") for job in jobs(workspace))
    # One that was started a moment ago cannot be told to end before it listens.
    deadline = time.monotonic() + _SECONDS_TO_START
    while not stop_cluster(workspace) and time.monotonic() < deadline:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    return unfinished
