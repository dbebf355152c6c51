"""A scenario: a YAML list of faults that a gateway starts with. Wrong ones are named by place."""

from pathlib import Path
from typing import Any

import yaml

from trading.broker.simulated.faults.fault import Fault, fault_of
from trading.errors import ConfigError


def read_scenario(path: Path) -> tuple[Fault, ...]:
    """The faults of the file `path`.

    Raises:
        ConfigError: it cannot be read, is no list, or a fault in it is wrong.
    """
    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"The scenario {path} cannot be read: {error}") from error
    if not isinstance(rows, list):
        raise ConfigError(f"The scenario {path} must be a list of faults, each as in: - kind: duplicate")
    return tuple(_fault(path, place, row) for place, row in enumerate(rows, 1))


def _fault(path: Path, place: int, row: Any) -> Fault:
    if not isinstance(row, dict):
        raise ConfigError(f"{path}, fault {place}: {row!r} is no fault. Write it as in: - kind: duplicate")
    try:
        return fault_of(row)
    except ConfigError as error:
        raise ConfigError(f"{path}, fault {place}: {error}") from error
