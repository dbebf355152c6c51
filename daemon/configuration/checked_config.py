"""A configuration that has passed every check: what the files say (trading/config.py), and whether it makes sense here.

All mistakes are told at once, each with file, line, column, key, the line itself and what to do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from pydantic import ValidationError

from daemon import schedule
from daemon.cron.business_days import BusinessDays
from daemon.cron.calendars import calendar_error, load_calendars
from daemon.cron.cron_expression import CronError
from daemon.decisions.slots import never_fires
from daemon.decisions.upcoming import Calendars, calendar_of, zone_of
from processes.registry import PROCESSES
from trading.clock import SystemClock
from trading.config import FILES, Config, Reading, StrategyConfig, read_config
from trading.config_files import STRATEGIES, Texts, is_strategy_file, strategy_files
from trading.config_mistakes import reason
from trading.errors import ConfigError, TradingError
from trading.process_config import CalendarConfig, ProcessConfig
from trading.systems.system_config import SystemConfig

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


def checked(folder: Path, texts: Texts | None = None, now: datetime | None = None,
            cache: Path | None = None) -> Checked:
    """The configuration of `folder`; with `texts` as if its files said that. `cache` keeps the exchanges' calendars.

    Raises:
        ConfigError: something is wrong; the message lists all of it.
    """
    reading = read_config(folder, texts)
    for name, strategy in reading.strategies.items():
        _check_system(reading, f"{STRATEGIES}/{name}.yaml", strategy)
    calendars: Calendars = {}
    moment = now or SystemClock().now()
    if reading.processes is not None:
        calendars = _calendars(reading, texts, moment.date(), cache)
        for name, process in reading.processes.processes.items():
            _check_job(reading, name, process)
            _check_schedule(reading, name, process, calendars, moment)
    return Checked(config=reading.finish(), calendars=calendars)


def file_names(folder: Path, calendars: Mapping[str, CalendarConfig]) -> tuple[str, ...]:
    """The files of a folder that make up its configuration: ours, its strategies, and the holidays of its calendars."""
    holidays = {calendar.holidays for calendar in calendars.values()
                if calendar.holidays is not None and Path(calendar.holidays).name == calendar.holidays}
    return (*FILES, *strategy_files(folder), *sorted(holidays))


def read_texts(folder: Path, names: tuple[str, ...]) -> dict[str, str]:
    """Those of the files that exist. What is no UTF-8 stays recognisable, so that the check can refuse it.

    Raises:
        ConfigError: a file may not be read.
    """
    texts = {}
    for name in names:
        try:
            texts[name] = (folder / name).read_bytes().decode("utf-8", "surrogateescape")
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise ConfigError(f"{folder / name} cannot be read: {error.strerror}. "
                              f"Let the user of the service read it.") from error
    return texts


def _calendars(reading: Reading, texts: Texts | None, today: date, cache: Path | None) -> Calendars:
    """Each calendar that can be read and does not end soon; the others are complained about."""
    assert reading.processes is not None
    calendars: dict[str, BusinessDays] = {}
    with TemporaryDirectory(prefix="tradingd-") as scratch:
        for name, text in (texts or {}).items():
            if not is_strategy_file(name):
                Path(scratch, name).write_bytes(text.encode("utf-8", "surrogateescape"))
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


def _check_system(reading: Reading, file: str, strategy: StrategyConfig) -> None:
    """All that can be wrong with a strategy without its prices and without importing a rule of somebody's own."""
    try:
        SystemConfig.model_validate(strategy.system)
    except ValidationError as error:
        for mistake in error.errors():
            path = ("system", *(str(part) for part in mistake["loc"]))
            reading.complain(file, path, f"{reason(mistake, path, SystemConfig)}.")


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
