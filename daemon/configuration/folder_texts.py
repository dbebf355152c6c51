"""The texts that make up a configuration folder: our files, the strategies, and the holiday files of calendars."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from trading.config import FILES
from trading.errors import ConfigError
from trading.process_config import CalendarConfig
from trading.strategy_files import FORMER, listed

_LOOKS: Final = 3

Calendars = Mapping[str, CalendarConfig]


def fixed_names(calendars: Calendars) -> tuple[str, ...]:
    """The files beside the strategies, there or not."""
    return (*FILES, FORMER, *holiday_files(calendars))


def holiday_files(calendars: Calendars) -> tuple[str, ...]:
    """The files in the folder that `calendars` name."""
    return tuple(sorted({calendar.holidays for calendar in calendars.values()
                         if calendar.holidays is not None and Path(calendar.holidays).name == calendar.holidays}))


def read_texts(folder: Path, calendars: Calendars) -> dict[str, str]:
    """Every file that exists. While a strategy is being renamed or replaced it is looked for again.

    Raises:
        ConfigError: a file may not be read, or it cannot be said which strategies there are.
    """
    for _ in range(_LOOKS):
        strategies = listed(folder)
        found = {name: read_text(folder, name) for name in (*fixed_names(calendars), *strategies)}
        lost = [name for name in strategies if found[name] is None]
        if not lost and listed(folder) == strategies:
            break
    else:
        if lost:
            raise ConfigError(f"{folder / lost[0]} is listed, but leads nowhere. Mend the link, or remove it.")
    return {name: text for name, text in found.items() if text is not None}


def read_text(folder: Path, name: str) -> str | None:
    """What one file says; None when it does not exist. What is no UTF-8 stays recognisable, so that it can be refused.

    Raises:
        ConfigError: it may not be read.
    """
    try:
        return (folder / name).read_bytes().decode("utf-8", "surrogateescape")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(f"{folder / name} cannot be read: {error.strerror}. "
                          f"Let the user of the service read it.") from error
