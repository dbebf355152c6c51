"""Watches the configuration folder: what is saved, in whatever way, is applied once and within a second.

The folder is watched, and that of the strategies, not the files, since most editors replace the file that they save. A
file that cannot be understood may be half written, and one that is gone may be about to be replaced: there is a second
look before it is refused, or taken away. Every half minute the contents are compared anyway, for network folders and
links that lead elsewhere.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Collection
from contextlib import aclosing
from pathlib import Path
from typing import Final, Protocol

from watchfiles import Change, awatch

from daemon.ending import ended
from trading.errors import ConfigError, StoreError, TradingError
from trading.log import get_log
from trading.strategy_files import STRATEGIES, is_strategy_file

log = get_log()

_QUIET_MS: Final = 150  # an editor has finished when it is quiet for so long
_LONGEST_MS: Final = 600  # but somebody who saves all the time is not waited for


class Reloadable(Protocol):
    """The live configuration, as the watch needs it."""

    @property
    def folder(self) -> Path: ...

    def names(self) -> Collection[str]:
        """The files beside the strategies that matter."""

    def fingerprint(self) -> str:
        """Of what the files say now."""

    def misses_a_file(self) -> bool:
        """Whether one that is in use is not there."""

    def reload_saved(self) -> Awaitable[object]:
        """Use what they say; raises ConfigError or StoreError without noting it."""

    def refuse(self, error: TradingError) -> None:
        """Note that they are not used, and why."""


class ConfigWatch:
    """Runs beside the service until it is cancelled. `poll_s` is the net, `second_look_s` the patience."""

    def __init__(self, live: Reloadable, poll_s: float = 30.0, second_look_s: float = 1.0) -> None:
        self._live, self._poll_s, self._second_look_s = live, poll_s, second_look_s
        self._saved = asyncio.Event()
        self._tried = ""  # the contents that were applied or refused last
        self._in_doubt = True  # look again soon: a file may be half written, or was saved before the watch began

    async def run(self) -> None:
        """Until cancelled."""
        listening = asyncio.create_task(self._listen())
        try:
            while True:
                saved = await self._saved_within(self._second_look_s if self._in_doubt else self._poll_s)
                await self._look(is_first=saved or not self._in_doubt)
        finally:
            await ended(listening)

    async def _look(self, is_first: bool) -> None:
        """Apply what has changed."""
        self._in_doubt = False
        contents = await self._contents()
        if contents == self._tried:
            return
        try:
            if is_first and await asyncio.to_thread(self._live.misses_a_file):
                self._in_doubt = True
                return
            await self._live.reload_saved()
        except StoreError as error:  # not the file's fault: the same contents are tried again
            self._live.refuse(error)
            return
        except ConfigError as error:
            self._in_doubt = is_first
            if is_first:
                return
            self._live.refuse(error)
        self._tried = contents

    async def _saved_within(self, wait_s: float) -> bool:
        """Whether something was saved before the time was up."""
        try:
            async with asyncio.timeout(wait_s):
                await self._saved.wait()
        except TimeoutError:
            return False
        self._saved.clear()
        return True

    async def _contents(self) -> str:
        try:
            return await asyncio.to_thread(self._live.fingerprint)
        except ConfigError as error:  # a file may not be read
            return str(error)

    async def _listen(self) -> None:
        """Note each event; a folder that cannot be watched is looked at by the net alone."""
        while True:
            try:
                async with aclosing(self._events()) as events:
                    async for changes in events:
                        self._saved.set()
                        if any(_is_another_folder(path) for _, path in changes):
                            break
                # what is saved before the watch on the new folder has begun is seen by a second look
                asyncio.get_running_loop().call_later(self._second_look_s, self._saved.set)
            except (OSError, RuntimeError) as error:  # the folder was replaced, or inotify has run out
                log.warning("config_folder_not_watched", reason=str(error), looked_at_every_s=self._poll_s)
                await asyncio.sleep(self._poll_s)

    def _events(self) -> AsyncGenerator[set[tuple[Change, str]], None]:
        folder, strategies = self._live.folder, self._live.folder / STRATEGIES
        watched = (folder, strategies) if strategies.is_dir() else (folder,)
        return awatch(*watched, watch_filter=self._matters, debounce=_LONGEST_MS, step=_QUIET_MS, recursive=False)

    def _matters(self, _change: Change, path: str) -> bool:
        """Our files, and what another folder of the strategies comes by."""
        folder, name = Path(path).parent.name, Path(path).name
        return name in self._live.names() or is_strategy_file(f"{folder}/{name}") or _is_another_folder(path)


def _is_another_folder(path: str) -> bool:
    """The strategies themselves, or a link (..data) by which a mounted volume exchanges all files at once."""
    return Path(path).name == STRATEGIES or Path(path).name.startswith("..")
