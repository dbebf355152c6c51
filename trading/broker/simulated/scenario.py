"""A scenario: a YAML file with the settings of a gateway and the faults that it starts with. Wrong ones are named.

A list is a list of faults; a mapping has them under `faults:`, and under `settings:` what else differs.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from trading.broker.simulated.faults.fault import Fault, fault_of
from trading.broker.simulated.options import GatewayOptions, options_of
from trading.errors import ConfigError

PARTS: Final = ("settings", "faults")


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What stands in the file."""

    options: GatewayOptions
    faults: tuple[Fault, ...]


def read_scenario(path: Path) -> Scenario:
    """The scenario of the file `path`.

    Raises:
        ConfigError: it cannot be read, is no scenario, or a setting or a fault in it is wrong.
    """
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"The scenario {path} cannot be read: {error}") from error
    parts = {"faults": found} if isinstance(found, list) else found
    if not isinstance(parts, dict) or not set(parts) <= set(PARTS):
        raise ConfigError(f"The scenario {path} must be a list of faults, each as in: - kind: duplicate; or have them "
                          f"under `faults:`, and settings of the gateway under `settings:`, and nothing else.")
    return Scenario(options=_options(path, parts.get("settings") or {}),
                    faults=_faults(path, parts.get("faults") or []))


def _options(path: Path, values: Any) -> GatewayOptions:
    try:
        return options_of(values)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _faults(path: Path, rows: Any) -> tuple[Fault, ...]:
    if not isinstance(rows, list):
        raise ConfigError(f"{path}: `faults:` must be a list, each as in: - kind: duplicate")
    return tuple(_fault(path, place, row) for place, row in enumerate(rows, 1))


def _fault(path: Path, place: int, row: Any) -> Fault:
    if not isinstance(row, dict):
        raise ConfigError(f"{path}, fault {place}: {row!r} is no fault. Write it as in: - kind: duplicate")
    try:
        return fault_of(row)
    except ConfigError as error:
        raise ConfigError(f"{path}, fault {place}: {error}") from error
