"""One model on its way from the versions it has to those it should have."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from workbench.serve.control import Indexed, Refusal, Reload
from workbench.serve.versions.fleet import LoadError
from workbench.serve.versions.policy import next_step
from workbench.serve.versions.source import Source, fingerprint
from workbench.serve.versions.version import Retries, Version

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.serve.config.model_config import ModelConfig
    from workbench.serve.versions.fleet import Fleet

_KEPT = 64  # versions that ended and are still listed
_log = logging.getLogger(__name__)


class ServedModel:
    """A model's versions; one change at a time.

    Attributes:
        config: What is asked.
        held: Nothing of it is served until it is loaded again.
        labels: Its labels as they are now.
    """

    def __init__(self, fleet: Fleet, config: ModelConfig, retries: Retries, loading: asyncio.Semaphore) -> None:
        self.config = config
        self.held = False
        self.labels: dict[str, int] = {}
        self._fleet = fleet
        self._retries = retries
        self._loading = loading
        self._source = Source()
        self._versions: dict[int, Version] = {}
        self._wanted: dict[int, Path] = {}
        self._known = self._configured = self._labels_changed = False
        self._lock = asyncio.Lock()

    @property
    def busy(self) -> bool:
        """Whether a change is under way."""
        return self._lock.locked()

    def available(self) -> set[int]:
        """Return the versions that answer."""
        return {version for version, one in self._versions.items() if one.state == "AVAILABLE"}

    def failures(self) -> list[Refusal]:
        """Return which versions are wanted and cannot be loaded."""
        return [
            Refusal(name=self.config.name, version=version, reason=one.error)
            for version, one in sorted(self._versions.items())
            if one.error and version in self._wanted
        ]

    def index(self) -> list[Indexed]:
        """Return every version, newest first."""
        every = sorted(self._versions.items(), reverse=True)
        return [Indexed(self.config.name, version, one.state, one.error) for version, one in every]

    async def configure(self, config: ModelConfig) -> None:
        """Take another configuration, which `follow` acts on; what was held is served again."""
        async with self._lock:
            self.config, self.held, self._configured = config, False, True

    async def follow(self, *, look: bool = True, set_labels: bool = False, again: bool = False) -> Reload:
        """Bring the fleet to what is asked and on disk.

        Args:
            look: Look into the folder; otherwise only what is known and due is done.
            set_labels: Labels of the configuration are set as soon as their versions answer.
            again: Versions that failed are tried now, whatever the clock says.

        Returns:
            What was done.
        """
        async with self._lock:
            before = self.available()
            if not self._known:
                # A server is not ready while a model that it was told of has nothing yet.
                await self._fleet.label(self.config.name, self.labels)
                self._known = True
            if look and not self.held:
                await self._look()
            for one in self._versions.values() if again else ():
                if one.error:
                    one.failures, one.retry_at = 0, self._retries.clock()
            if set_labels:
                await self._set_labels_that_can_be()
            tried = await self._act(set_labels=set_labels)
            return self._done(before, tried)

    async def hold(self) -> Reload:
        """Unload everything until it is configured or loaded again."""
        self.held = True
        return await self.follow(look=False)

    async def forget(self) -> Reload:
        """Unload everything; afterwards nobody knows the model."""
        done = await self.hold()
        await self._fleet.forget(self.config.name)
        return done

    def lose(self, version: int, error: str) -> Reload:
        """Take note that the fleet holds a version no more, which is then tried again as one that failed to load."""
        one = self._versions.get(version)
        if one is None or one.state != "AVAILABLE":
            return Reload()
        one.state, one.error, one.failures, one.failed_as, one.seen_as = "END", error, 1, (), ()
        if self._retries.most:
            one.retry_at = self._retries.clock() + self._retries.seconds
        name = self.config.name
        return Reload(
            unloaded=((name, version),), refused=(Refusal(name=name, version=version, reason=f"it is lost: {error}"),)
        )

    async def label(self, labels: dict[str, int]) -> None:
        """Replace all labels."""
        if labels != self.labels:
            self.labels = dict(labels)
            self._labels_changed = True
            await self._fleet.label(self.config.name, self.labels)

    async def _look(self) -> None:
        found = await asyncio.to_thread(self._source.look, self.config)
        if found is None:
            return
        self._wanted = found
        for version, path in found.items():
            one = self._versions.get(version)
            if one is None or (one.state == "END" and not one.error):
                self._versions[version] = Version(path)
                await self._fleet.show(self.config.name, version, "START")
            elif one.error:
                await self._see(one, path)

    async def _see(self, one: Version, path: Path) -> None:
        # Files that are still being copied change from look to look; when they have settled it is tried again.
        now = await asyncio.to_thread(fingerprint, path)
        if now != one.failed_as and now == one.seen_as:
            one.failures, one.retry_at = 0, self._retries.clock()
        one.path, one.seen_as = path, now

    async def _act(self, *, set_labels: bool) -> set[int]:
        tried: set[int] = set()
        while step := next_step(self._to_serve(), self.available(), self._loadable()):
            if step.do == "unload":
                await self._unload(step.version)
                continue
            tried.add(step.version)
            await self._load(step.version)
            if set_labels:
                # Before the old version goes: a label never means nothing.
                await self._set_labels_that_can_be()
        self._drop_old()
        return tried

    def _to_serve(self) -> set[int]:
        return set() if self.held else {*self._wanted}

    def _loadable(self) -> set[int]:
        now = self._retries.clock()
        return {
            version
            for version, one in self._versions.items()
            if one.state == "START" or (one.error and one.retry_at is not None and one.retry_at <= now)
        }

    async def _load(self, version: int) -> None:
        name, one = self.config.name, self._versions[version]
        async with self._loading:
            one.state, one.retry_at = "LOADING", None
            await self._fleet.show(name, version, "LOADING")
            one.failed_as = one.seen_as = await asyncio.to_thread(fingerprint, one.path)
            try:
                await self._fleet.load(name, version, one.path)
            except LoadError as error:
                await self._fail(version, str(error))
                return
            except Exception:  # noqa: BLE001 - a fleet must not be left half way, whatever it raises
                _log.exception("%s version %d did not load", name, version)
                await self._fail(version, f"model {name} version {version} cannot be run; the server's log says why.")
                return
        await self._fleet.serve(name, version)
        one.state, one.error, one.failures = "AVAILABLE", "", 0
        _log.info("%s version %d is served", name, version)

    async def _fail(self, version: int, error: str) -> None:
        one = self._versions[version]
        one.state, one.error, one.failures = "END", error, one.failures + 1
        if one.failures <= self._retries.most:
            one.retry_at = self._retries.clock() + self._retries.seconds
        _log.warning("%s version %d cannot be loaded: %s", self.config.name, version, error)
        await self._fleet.show(self.config.name, version, "END", error)

    async def _unload(self, version: int) -> None:
        one = self._versions[version]
        one.state = "UNLOADING"
        await self._fleet.unload(self.config.name, version)
        one.state, one.error = "END", ""
        _log.info("%s version %d is unloaded", self.config.name, version)

    async def _set_labels_that_can_be(self) -> None:
        available = self.available()
        can_be = {label: version for label, version in self.config.labels.items() if version in available}
        kept = {label: version for label, version in self.labels.items() if label in self.config.labels}
        await self.label(kept | can_be)

    def _drop_old(self) -> None:
        ended = [number for number, one in self._versions.items() if one.state == "END" and number not in self._wanted]
        for version in sorted(ended)[:-_KEPT]:
            del self._versions[version]

    def _done(self, before: set[int], tried: set[int]) -> Reload:
        name, now = self.config.name, self.available()
        labelled, self._labels_changed = self._labels_changed, False
        refused = [one for one in self.failures() if one.version in tried]
        if self._configured:
            refused += self._elsewhere(before)
        self._configured = False
        return Reload(
            loaded=tuple((name, version) for version in sorted(now - before)),
            unloaded=tuple((name, version) for version in sorted(before - now)),
            labels={name: self.labels} if labelled else {},
            refused=tuple(refused),
        )

    def _elsewhere(self, before: set[int]) -> list[Refusal]:
        # A number is one version for as long as it is served, wherever the configuration now says that it lies.
        return [
            Refusal(
                name=self.config.name,
                version=version,
                reason=f"version {version} goes on as it was loaded; give the files of another folder a new number",
            )
            for version, path in sorted(self._wanted.items())
            if version in before and self._versions[version].path != path
        ]
