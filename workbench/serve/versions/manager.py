"""The versions of all models: what is configured, what is on disk, and what the fleet therefore holds."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from workbench.serve.config.model_config import ModelConfig
from workbench.serve.control import Indexed, Reload, ReloadError
from workbench.serve.settings import MODEL_NAME
from workbench.serve.status import Code, RequestError, not_found
from workbench.serve.versions.checks import LabelRule, check_labels, check_names, not_available, unset_labels
from workbench.serve.versions.served_model import ServedModel
from workbench.serve.versions.version import Retries

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from pathlib import Path

    from workbench.serve.versions.fleet import Fleet

_TICK_SECONDS = 1.0
_KEPT = 100  # reloads that are remembered
_log = logging.getLogger(__name__)


class Manager:
    """Implements `Control`; all its calls belong to one event loop.

    Attributes:
        history: When something changed and what, the last hundred times: UTC time (ISO 8601) and record.
    """

    def __init__(
        self,
        fleet: Fleet,
        configs: Sequence[ModelConfig] = (),
        *,
        poll_seconds: float = 1.0,
        retries: Retries | None = None,
        labels: LabelRule = "available",
        load_threads: int = 2,
        repository: Path | None = None,
        on_change: Callable[[Reload], None] | None = None,
    ) -> None:
        """Do nothing yet.

        Args:
            fleet: What holds the versions.
            configs: Models that `start` loads.
            poll_seconds: Seconds between two looks into the models' folders; 0 looks once.
            retries: When a version that cannot be loaded is tried again.
            labels: When a label may be set.
            load_threads: Versions that are loaded at the same time.
            repository: A folder of models, any of which may be loaded by its name.
            on_change: Is told what a look or a request changed.
        """
        self._fleet = fleet
        fleet.on_lost = self._on_lost
        self._first = tuple(configs)
        self._poll_seconds = poll_seconds
        self._retries = retries or Retries()
        self._rule = labels
        self._loading = asyncio.Semaphore(max(1, load_threads))
        self._repository = repository
        self._on_change = on_change
        self._models: dict[str, ServedModel] = {}
        self._changing = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.history: deque[tuple[str, Reload]] = deque(maxlen=_KEPT)

    async def start(self) -> Reload:
        """Load what is configured and return when each version was tried once.

        Versions that failed are in `refused`, and are tried again; whether the server may go on without them is the
        caller's choice.

        Raises:
            RequestError: INVALID_ARGUMENT, a model is named twice; FAILED_PRECONDITION, labels may not be set.
        """
        async with self._changing:
            return self._remember(await self._apply(self._first))

    async def reload(self, configs: Sequence[ModelConfig]) -> Reload:
        """Replace the whole configuration: models that are not named are unloaded.

        Returns when each version that is new was tried once; whoever asked may leave meanwhile.

        Raises:
            RequestError: INVALID_ARGUMENT, a model is named twice, or FAILED_PRECONDITION, a label may not be set:
                nothing was changed then.
            ReloadError: UNKNOWN, a model that is new has no version that answers; FAILED_PRECONDITION, a label's
                version could not be loaded. The rest was done, and is retried.
        """
        done: Reload = await self._shielded(self._reload(tuple(configs)))
        return done

    async def load(self, name: str) -> None:
        """Serve a model again, or what lies in its folder now; one of the repository's need not be configured.

        Raises:
            RequestError: NOT_FOUND, no such model; FAILED_PRECONDITION, none of its versions can be loaded.
        """
        await self._shielded(self._load(name))

    async def unload(self, name: str) -> None:
        """Unload all versions of a model until it is loaded again or the configuration is replaced.

        Raises:
            RequestError: NOT_FOUND, no such model.
        """
        await self._shielded(self._unload(name))

    def index(self) -> list[Indexed]:
        """Return every version of every model, by name and newest first."""
        return [one for _, model in sorted(self._models.items()) for one in model.index()]

    async def poll_once(self) -> Reload:
        """Look into all folders, do what follows, and return what was done."""
        models = [*self._models.values()]
        return self._remember(Reload.merged(await asyncio.gather(*(self._follow(model) for model in models))))

    async def run(self) -> None:
        """Look into the folders and retry what failed, until it is closed or cancelled."""
        clock = asyncio.get_running_loop().time
        next_look = clock() + self._poll_seconds
        while True:
            await asyncio.sleep(min(self._poll_seconds or _TICK_SECONDS, _TICK_SECONDS))
            look = self._poll_seconds > 0 and clock() >= next_look
            if look:
                next_look = clock() + self._poll_seconds
            for model in self._models.values():
                if not model.busy:  # a model that takes long to load keeps no other from being looked at
                    self._spawn(self._follow_and_remember(model, look=look))

    async def close(self) -> None:
        """End what runs in the background; what the fleet holds it keeps."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _reload(self, configs: tuple[ModelConfig, ...]) -> Reload:
        async with self._changing:
            new = {config.name for config in configs} - self._models.keys()
            done = self._remember(await self._apply(configs))
        if missing := [self._models[name] for name in sorted(new) if not self._models[name].available()]:
            raise ReloadError(Code.UNKNOWN, not_available(missing), done)
        if unset := [one for one in done.refused if one.label is not None]:
            raise ReloadError(Code.FAILED_PRECONDITION, unset[0].reason, done)
        return done

    async def _apply(self, configs: tuple[ModelConfig, ...]) -> Reload:
        check_names(configs)
        if self._rule != "loaded":
            check_labels(configs, self._models, new_may_wait=self._rule == "new")
        named = {config.name for config in configs}
        gone = [self._models.pop(name) for name in self._models.keys() - named]
        for config in configs:
            if config.name in self._models:
                await self._models[config.name].configure(config)
            else:
                self._models[config.name] = ServedModel(self._fleet, config, self._retries, self._loading)
            if self._rule != "loaded":
                await self._models[config.name].label(config.labels)
        parts = await asyncio.gather(
            *(model.forget() for model in gone), *(self._follow(self._models[config.name]) for config in configs)
        )
        unset = unset_labels(self._models) if self._rule == "loaded" else []
        return Reload.merged([*parts, Reload(refused=tuple(unset))])

    async def _follow(self, model: ServedModel, *, look: bool = True, again: bool = False) -> Reload:
        return await model.follow(look=look, again=again, set_labels=self._rule == "loaded")

    async def _follow_and_remember(self, model: ServedModel, *, look: bool) -> None:
        self._remember(await self._follow(model, look=look))

    async def _load(self, name: str) -> None:
        async with self._changing:
            model = self._models.get(name)
            if model is None:
                config = self._in_repository(name)
                if config is None:
                    raise not_found(f"failed to load '{name}', no such model")
                model = self._models[name] = ServedModel(self._fleet, config, self._retries, self._loading)
            await model.configure(model.config)
            self._remember(await self._follow(model, again=True))
        if not model.available():
            failures = model.failures()
            reason = f"version {failures[-1].version}: {failures[-1].reason}" if failures else "it has no versions"
            raise RequestError(Code.FAILED_PRECONDITION, f"failed to load '{name}', {reason}")

    async def _unload(self, name: str) -> None:
        async with self._changing:
            model = self._models.get(name)
            if model is None:
                raise not_found(f"failed to unload '{name}', no such model")
            self._remember(await model.hold())

    def _in_repository(self, name: str) -> ModelConfig | None:
        if self._repository is None or not re.fullmatch(MODEL_NAME, name) or ".." in name:
            return None
        base = self._repository / name
        return ModelConfig(name=name, base_path=str(base)) if base.is_dir() else None

    def _remember(self, done: Reload) -> Reload:
        if done.changed:
            self.history.append((datetime.now(UTC).isoformat(timespec="milliseconds"), done))
            _log.info("%s", done.sentence())
            if self._on_change is not None:
                self._on_change(done)
        return done

    def _on_lost(self, name: str, version: int, error: str) -> None:
        if name in self._models:
            self._remember(self._models[name].lose(version, error))

    async def _shielded(self, work: Coroutine[Any, Any, Any]) -> Any:
        # A client that goes away must not stop a version half way.
        return await asyncio.shield(self._spawn(work))

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, RequestError):
            _log.error("a change of versions failed", exc_info=error)
