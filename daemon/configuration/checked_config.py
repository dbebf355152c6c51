"""A configuration that has passed every check: what the files say (trading/config.py), and whether it makes sense here.

All mistakes are told at once, each with file, line, column, key, the line itself and what to do.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from daemon import schedule
from daemon.configuration.checked_systems import check_systems
from daemon.configuration.folder_texts import holiday_files
from daemon.configuration.own_modules import module_is_there
from daemon.cron.business_days import BusinessDays
from daemon.cron.calendars import calendar_error, load_calendars
from daemon.cron.cron_expression import CronError
from daemon.decisions.slots import never_fires
from daemon.decisions.upcoming import Calendars, calendar_of, zone_of
from processes.registry import PROCESSES
from trading.clock import SystemClock
from trading.config import Config, Reading, read_config
from trading.config_files import Texts
from trading.errors import TradingError
from trading.process_config import ProcessConfig

_FILE: Final = "processes.yaml"


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A configuration without mistakes, and its calendars."""

    config: Config
    calendars: Calendars


def checked_config(folder: Path) -> Config:
    """The configuration of `folder`.

    Raises:
        ConfigError: something is wrong; the message lists all of it.
    """
    return checked(folder).config


def checked(folder: Path, texts: Texts | None = None, now: datetime | None = None, cache: Path | None = None,
            is_there: Callable[[str], bool] = module_is_there) -> Checked:
    """The configuration of `folder`; with `texts` as if its files said that. `cache` keeps the exchanges' calendars.

    `is_there` says of a module of somebody's own rules whether the service could import it.

    Raises:
        ConfigError: something is wrong; the message lists all of it.
    """
    reading = read_config(folder, texts)
    calendars: Calendars = {}
    moment = now or SystemClock().now()
    if reading.processes is not None:
        calendars = _calendars(reading, texts, moment.date(), cache)
        for name, process in reading.processes.processes.items():
            _check_job(reading, name, process)
            _check_schedule(reading, name, process, calendars, moment)
    check_systems(reading, is_there)
    return Checked(config=reading.finish(), calendars=calendars)


def _calendars(reading: Reading, texts: Texts | None, today: date, cache: Path | None) -> Calendars:
    """Each calendar that can be read and does not end soon; the others are complained about."""
    assert reading.processes is not None
    calendars: dict[str, BusinessDays] = {}
    with TemporaryDirectory(prefix="tradingd-") as scratch:
        for name in holiday_files(reading.processes.calendars):
            if texts is not None and name in texts:
                Path(scratch, name).write_bytes(texts[name].encode("utf-8", "surrogateescape"))
        folder = reading.folder if texts is None else Path(scratch)
        for name, calendar in reading.processes.calendars.items():
            path = ("calendars", name, "exchange" if calendar.exchange else "holidays")
            try:
                calendars |= load_calendars({name: calendar}, folder, cache, today)
            except TradingError as error:
                reading.complain(_FILE, path, f"{error}.".replace(str(folder), str(reading.folder)))
                continue
            ending = calendar_error(name, calendars[name], today)
            if ending:
                reading.complain(_FILE, path, f"{ending}.")
    return calendars


def _check_job(reading: Reading, name: str, process: ProcessConfig) -> None:
    job = process.job or name
    if job in PROCESSES or (process.job is not None and _may_be_a_module(job)):
        return
    key = ("job",) if process.job is not None else ()
    reading.complain(_FILE, ("processes", name, *key),
                     f"there is no such process as {job} (known: {', '.join(PROCESSES)}). Name one of them, or a "
                     f"module of yours: `job: my_package.my_module`.")


def _may_be_a_module(name: str) -> bool:
    """Whether a worker could import it. It is not imported here; a name without a dot must at least be found."""
    parts = name.split(".")
    return all(part.isidentifier() for part in parts) and (len(parts) > 1 or find_spec(name) is not None)


def _check_schedule(reading: Reading, name: str, process: ProcessConfig, calendars: Calendars, now: datetime) -> None:
    path = ("processes", name)
    if process.cron is not None:
        try:
            schedule.check(process.cron)
        except CronError as error:
            reading.complain(_FILE, (*path, "cron"), f"{error}.")
            return
    if process.calendar not in (None, "weekdays") and process.calendar not in calendars:
        return  # that it is missing has been said
    if reading.service is None:
        return
    reason = never_fires(process, zone_of(process, reading.service.zone), calendar_of(process, calendars), now)
    if reason:
        reading.complain(_FILE, (*path, "window" if process.window else "cron"), f"{reason.rstrip('.')}.")
