"""Watches the rules of the time zones in use: when the system's zone data is updated, the schedule follows at once.

Without it a service that runs for months would go by the daylight saving rules of the day on which it was started.
"""

import asyncio
import os
import zoneinfo
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from importlib import resources
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from trading.log import get_log

log = get_log()

_LOOK_EVERY_S: Final = 10.0

Zones = Mapping[str, ZoneInfo]
Signature = tuple[int, int, int]  # inode, size, time of the last change


def zone_data_version() -> str:
    """Which release of the zone data is in use; "unknown" when the system does not say."""
    for folder in zoneinfo.TZPATH:
        for name in ("tzdata.zi", "+VERSION"):
            with suppress(OSError, UnicodeDecodeError), (Path(folder) / name).open() as file:
                return file.readline().removeprefix("# version ").strip()
    with suppress(PackageNotFoundError):
        return version("tzdata")
    return "unknown"


class ZoneWatch:
    """Runs beside the service until it is cancelled. `zones` names those in use at the moment."""

    def __init__(self, zones: Callable[[], Iterable[str]], on_change: Callable[[Zones], Awaitable[None]],
                 look_every_s: float = _LOOK_EVERY_S) -> None:
        self._zones, self._on_change, self._look_every_s = zones, on_change, look_every_s
        self._seen: dict[str, Signature] = {}
        self._rules: dict[str, ZoneInfo] = {}  # as they were when the files looked like that

    async def run(self) -> None:
        """Until cancelled."""
        self._remember()
        log.info("zone_data", version=zone_data_version(), zones=sorted(self._seen))
        while True:
            await asyncio.sleep(self._look_every_s)
            await self.look()

    async def look(self) -> None:
        """Let everybody use the new rules if a file has changed. What cannot be read (an update is under way) waits."""
        names = set(self._zones())
        found = {name: signature for name in names if (signature := _signature(name)) is not None}
        if len(found) < len(names & self._seen.keys()):
            return
        changed = [name for name in found.keys() & self._seen.keys() if found[name] != self._seen[name]]
        if changed:
            ZoneInfo.clear_cache(only_keys=changed)  # UTC stays: pandas knows it by identity
            if not all(map(_is_readable, names)):
                return
            old = dict(self._rules)
            self._remember()
            log.warning("zone_data_changed", version=zone_data_version(), zones=sorted(changed))
            await self._on_change(old)
        elif found.keys() != self._seen.keys():
            self._remember()

    def _remember(self) -> None:
        self._seen = {name: signature for name in self._zones() if (signature := _signature(name)) is not None}
        self._rules = {name: ZoneInfo(name) for name in self._seen}


def _signature(name: str) -> Signature | None:
    """Of the file that `ZoneInfo(name)` reads; None while there is none."""
    for folder in zoneinfo.TZPATH:
        with suppress(OSError):
            return _of(os.stat(Path(folder) / name))
    with suppress(OSError, ModuleNotFoundError):
        return _of(os.stat(str(resources.files("tzdata.zoneinfo").joinpath(name))))
    return None


def _of(stat: os.stat_result) -> Signature:
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _is_readable(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, zoneinfo.ZoneInfoNotFoundError):
        return False
    return True
