"""The configuration in use: reloaded when a file changes, replaced by one reference, never by a part of it.

Read, check, compare, record a generation, swap. Whatever goes wrong on the way leaves the old configuration in use and
`problem` saying why. Runs that have started keep the configuration that they started with.
"""

import asyncio
import inspect
import pwd
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from pymongo.errors import PyMongoError

from daemon.configuration.checked_config import Checked, checked
from daemon.configuration.config_changes import Change, as_lines, as_values, describe, headlines
from daemon.configuration.config_folder import as_it_was, finish_interrupted_write, write_folder, write_texts
from daemon.configuration.folder_texts import fixed_names, holiday_files, read_text, read_texts
from daemon.configuration.lost_files import refuse_lost_files
from daemon.crash_points import Point, crash_point
from daemon.decisions.upcoming import Calendars
from trading.clock import Clock
from trading.config import FILES, Config, read_config
from trading.config_files import Texts
from trading.control.config_revision import ConfigRevision, Source, fingerprint
from trading.errors import ConcurrentUpdate, ConfigError, StoreError, TradingError
from trading.log import get_log
from trading.strategy_files import is_strategy_file

log = get_log()

PROCESSES_FILE: Final = "processes.yaml"
_TRIES: Final = 3  # two daemons may record at once; more often than that something is wrong


class Revisions(Protocol):
    """Where generations are kept; the calls are synchronous."""

    def newest(self) -> ConfigRevision | None: ...

    def get(self, generation: int) -> ConfigRevision: ...

    def history(self, limit: int) -> list[ConfigRevision]: ...

    def insert(self, revision: ConfigRevision, nonce: str = "") -> ConfigRevision: ...


Result = TypeVar("Result")
Changed = Callable[[Config, Config], Awaitable[None] | None]


@dataclass(frozen=True, kw_only=True)
class LiveParts:
    """What a live configuration needs from outside."""

    folder: Path
    revisions: Revisions
    clock: Clock
    on_change: Changed  # told the old and the new configuration, right after the swap to another generation
    running: Callable[[], Collection[str]] = tuple  # processes that have a run just now
    cache: Path | None = None  # keeps the exchanges' calendars


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a reload came to. `generation` is what is in use now."""

    generation: int
    changes: tuple[Change, ...] = ()
    applied: bool = False

    def as_values(self) -> dict[str, Any]:
        """For the API."""
        return {"generation": self.generation, "applied": self.applied, "changes": headlines(self.changes),
                "lines": as_lines(self.changes), "details": as_values(self.changes)}


@dataclass(frozen=True, kw_only=True)
class _InUse:
    """What the one reference holds: replaced as a whole."""

    config: Config
    calendars: Calendars
    generation: int
    texts: Texts
    sha256: str


class LiveConfig:
    """Holds the configuration that is in use, and its generation. `start` it before it is asked for anything."""

    def __init__(self, parts: LiveParts, config: Config, calendars: Calendars | None = None) -> None:
        self._parts = parts
        self._in_use = _InUse(config=config, calendars=calendars or {}, generation=0, texts={}, sha256="")
        self._one_at_a_time = asyncio.Lock()
        self.problem = ""  # why the files on disk are not in use; empty when they are
        self.restart_needed = False  # tradingd.yaml says something else than what the service runs with

    @property
    def config(self) -> Config:
        return self._in_use.config

    @property
    def calendars(self) -> Calendars:
        return self._in_use.calendars

    @property
    def generation(self) -> int:
        return self._in_use.generation

    @property
    def sha256(self) -> str:
        """The fingerprint of what is in use."""
        return self._in_use.sha256

    @property
    def folder(self) -> Path:
        return self._parts.folder

    def names(self) -> tuple[str, ...]:
        """The files beside the strategies that matter, there or not."""
        return fixed_names(self.config.calendars)

    def fingerprint(self) -> str:
        """Of what the files say now, in use or not."""
        return fingerprint(self._texts())

    def misses_a_file(self) -> bool:
        """Whether a file that is in use is not there; it may be about to be replaced."""
        return not set(self._in_use.texts) <= set(self._texts())

    def status(self) -> dict[str, Any]:
        """For status, alerts and the API."""
        return {"generation": self.generation, "sha256": self.sha256, "problem": self.problem,
                "restart_needed": self.restart_needed, "folder": str(self.folder)}

    async def resume(self, revision: ConfigRevision) -> None:
        """What was given at the beginning is this generation, although the files say something else."""
        self._in_use = replace(self._in_use, generation=revision.generation, texts=revision.files,
                               sha256=revision.sha256)
        await self._tell(self.config)

    async def start(self, author: str = "tradingd") -> Outcome:
        """Use what the files say; where that differs from the last generation, it becomes a new one.

        Raises:
            ConfigError: the files are wrong; what was given at the beginning stays in use.
        """
        async with self._one_at_a_time:
            await asyncio.to_thread(finish_interrupted_write, self.folder)
            newest = await self._from_store(self._parts.revisions.newest)
            if newest is not None:
                self._refuse_lost_files(newest.files, self._texts(), newest.generation)
            return await self._recorded(lambda: self._reload(author, "the files differed at the start", Source.START))

    async def reload(self, author: str, reason: str, source: Source = Source.FILE) -> Outcome:
        """Read the files again and use them. The same files again change nothing.

        Raises:
            ConfigError: they are wrong; the old configuration stays in use.
            StoreError: the new generation could not be recorded; the old configuration stays in use.
        """
        async with self._one_at_a_time:
            return await self._recorded(lambda: self._reload(author, reason, source))

    async def reload_saved(self) -> Outcome:
        """As `reload`, for the watch: a failure is not noted yet, since the file may still be half written."""
        async with self._one_at_a_time:
            return self._noted(await self._reload(await asyncio.to_thread(self._last_author), "a file was saved",
                                                  Source.FILE))

    def refuse(self, error: TradingError) -> None:
        """Note that the files on disk are not used, and why."""
        if self.problem != str(error):
            log.error("config_rejected", reason=str(error), effect="the old configuration stays in use")
        self.problem = str(error)

    async def check(self, texts: Mapping[str, str | None] | None = None) -> list[Change]:
        """What the files would change, with `texts` in place of some of them; one without a text is not there.

        Raises:
            ConfigError: they are wrong.
        """
        both = {**await asyncio.to_thread(self._texts), **(texts or {})}
        return await self._changes_to(await self._checked({name: text for name, text in both.items()
                                                           if text is not None}))

    async def apply_text(self, processes_yaml: str, author: str, reason: str, seen: str | None = None,
                         source: Source = Source.API) -> Outcome:
        """Make processes.yaml say `processes_yaml`, and use it. `seen` is the text that the author has changed.

        Raises:
            ConfigError: the text is wrong or the folder cannot be written; nothing has changed.
            ConcurrentUpdate: the file says something else than `seen`; look at it and decide again.
        """
        async with self._one_at_a_time:
            texts = await asyncio.to_thread(self._texts)
            if seen is not None and texts.get(PROCESSES_FILE, "") != seen:
                raise ConcurrentUpdate(f"{self.folder / PROCESSES_FILE}", self.generation)
            await self._checked(texts | {PROCESSES_FILE: processes_yaml})
            await asyncio.to_thread(write_texts, self.folder, {PROCESSES_FILE: processes_yaml})
            return await self._recorded(lambda: self._reload(author, reason, source))

    async def rollback(self, generation: int, author: str, reason: str) -> Outcome:
        """Make the files say what they said in `generation`, and use that as a new generation.

        Raises:
            NotFound: there is no such generation.
            ConfigError: its texts are wrong today, or the folder cannot be written; nothing has changed.
        """
        async with self._one_at_a_time:
            revision = await self.revision(generation)
            texts = as_it_was(revision.files, await asyncio.to_thread(self._texts))
            await self._checked(texts)
            await asyncio.to_thread(write_folder, self.folder, texts)
            return await self._recorded(lambda: self._use(texts, author, reason, Source.ROLLBACK))

    async def revision(self, generation: int) -> ConfigRevision:
        """
        Raises:
            NotFound: there is no such generation.
        """
        return await self._from_store(partial(self._parts.revisions.get, generation))

    async def history(self, limit: int) -> list[ConfigRevision]:
        """The newest generations first."""
        return await self._from_store(partial(self._parts.revisions.history, limit))

    async def _recorded(self, reload: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """The outcome of `reload`, with its failure noted."""
        try:
            return self._noted(await reload())
        except (ConfigError, StoreError) as error:
            self.refuse(error)
            raise

    def _noted(self, outcome: Outcome) -> Outcome:
        self.problem = ""
        if outcome.applied:
            log.info("config_applied", generation=outcome.generation, changes=headlines(outcome.changes))
        return outcome

    async def _reload(self, author: str, reason: str, source: Source) -> Outcome:
        texts = await asyncio.to_thread(self._texts)
        self._refuse_lost_files(self._in_use.texts, texts, self.generation)
        return await self._use(texts, author, reason, source)

    async def _use(self, texts: Texts, author: str, reason: str, source: Source) -> Outcome:
        if fingerprint(texts) == self._in_use.sha256:
            return Outcome(generation=self.generation)
        found, complete = await asyncio.to_thread(self._understand, texts)
        changes = await self._changes_to(found)
        revision = await self._record(ConfigRevision(
            generation=0, sha256=fingerprint(complete), files=complete, author=author, reason=reason, source=source,
            at=self._parts.clock.now(), parent=None, changes=tuple(headlines(changes))))
        if self.generation:  # not at the start
            crash_point(Point.MID_RELOAD)
        await self._swap(found, revision)
        return Outcome(generation=revision.generation, changes=tuple(changes), applied=True)

    async def _swap(self, found: Checked, revision: ConfigRevision) -> None:
        before, service = self._in_use, self.config.service
        self.restart_needed = found.config.service != service
        self._in_use = _InUse(config=replace(found.config, service=service), calendars=found.calendars,
                              generation=revision.generation, texts=revision.files, sha256=revision.sha256)
        await self._tell(before.config)

    async def _tell(self, before: Config) -> None:
        told = self._parts.on_change(before, self.config)
        if inspect.isawaitable(told):
            await told

    async def _record(self, revision: ConfigRevision) -> ConfigRevision:
        """The generation of these texts: a new one, unless they are the newest already."""
        for _ in range(_TRIES):
            newest = await self._from_store(self._parts.revisions.newest)
            if newest is not None and newest.sha256 == revision.sha256:
                return newest
            following = replace(revision, parent=newest.generation if newest else None)
            try:
                return await self._from_store(partial(self._parts.revisions.insert, following))
            except ConcurrentUpdate:
                continue
        raise StoreError("The configuration could not be recorded, because another service records one all the time. "
                         "Is a second service using this database? See: tradectl schedule history")

    async def _from_store(self, call: Callable[[], Result]) -> Result:
        try:
            return await asyncio.to_thread(call)
        except PyMongoError as error:
            raise StoreError(f"The store does not answer ({str(error)[:120]}), so no configuration can be recorded. "
                             f"It is tried again.") from error

    async def _checked(self, texts: Texts) -> Checked:
        return (await asyncio.to_thread(self._understand, texts))[0]

    def _texts(self) -> dict[str, str]:
        """What the files say now."""
        return read_texts(self.folder, self.config.calendars)

    def _understand(self, texts: Texts) -> tuple[Checked, Texts]:
        """What `texts` mean; and they, with the holiday files that only they name."""
        processes = read_config(self.folder, texts).processes
        calendars = {} if processes is None else processes.calendars
        names = fixed_names(calendars)
        complete = {name: text for name, text in texts.items() if name in names or is_strategy_file(name)}
        for name in holiday_files(calendars):
            if name not in complete and (text := read_text(self.folder, name)) is not None:
                complete[name] = text
        return checked(self.folder, complete, self._parts.clock.now(), self._parts.cache), complete

    async def _changes_to(self, found: Checked) -> list[Change]:
        """In a thread: hundreds of fire times are looked up."""
        return await asyncio.to_thread(describe, self.config, found.config, self._parts.clock.now(), self.calendars,
                                       found.calendars, frozenset(self._parts.running()))

    def _refuse_lost_files(self, before: Texts, now: Texts, generation: int) -> None:
        calendars = self.config.calendars
        refuse_lost_files(self.folder, before, now, (*FILES, *holiday_files(calendars)), generation)

    def _last_author(self) -> str:
        """Whose the file is that was saved last: the best answer to who has edited it. A removal has no author."""
        if self.misses_a_file():
            return "unknown"
        saved = [(self.folder / name).stat() for name in self._texts()]
        try:
            return pwd.getpwuid(max(saved, key=lambda each: each.st_mtime_ns).st_uid).pw_name
        except (ValueError, KeyError):
            return "unknown"
