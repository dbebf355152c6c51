"""Configuration: YAML files, merged key by key over the shipped defaults, checked as a whole at start.

A wrong file changes nothing: every mistake becomes one line that names file, line and key. Secrets are not
configuration; they come from the environment (TRADINGD_MONGO_URI) or systemd credentials.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError, field_validator

from trading.errors import ConfigError
from trading.shipped import shipped_folder

MONGO_URI_VARIABLE: Final = "TRADINGD_MONGO_URI"
FILES: Final = ("tradingd.yaml", "processes.yaml", "strategies.yaml")

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the fast one where the library was built with it
KeyPath = tuple[str, ...]
Model = TypeVar("Model", bound=BaseModel)


class Mode(StrEnum):
    """What is at stake; stamped into the database, so that one cannot be mistaken for another."""

    SIMULATED = "simulated"  # the simulated gateway, started by the daemon; nobody's money
    PAPER = "paper"  # a paper account at the broker
    LIVE = "live"  # real money


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MongoConfig(_Section):
    """Where state lives. Without a `uri` the daemon runs its own embedded server."""

    uri: str | None = None
    database: str = "tradingd"
    timeout_s: PositiveFloat = 5.0
    connect_limit_s: PositiveFloat = 60.0


class ClockConfig(_Section):
    """`as_of` shifts the world's clock to a recorded moment; only in mode simulated."""

    as_of: datetime | None = None

    @field_validator("as_of")
    @classmethod
    def _aware(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no zone; write for example {value.isoformat()}+00:00")
        return value


class SimulatedGatewayConfig(_Section):
    """The gateway that comes with tradingd; `port` 0 takes a free one."""

    port: int = Field(default=0, ge=0, le=65535)
    starting_cash: PositiveFloat = 5_000_000.0


class BrokerConfig(_Section):
    """The one connection. In mode simulated host and port are the simulated gateway's."""

    host: str = "127.0.0.1"
    port: int = Field(default=4002, ge=1, le=65535)
    client_id: int = Field(default=1, ge=1)
    account: str = "DU0000001"
    connect_timeout_s: PositiveFloat = 15.0
    request_timeout_s: PositiveFloat = 20.0
    messages_per_s: PositiveFloat = 35.0
    simulated: SimulatedGatewayConfig = SimulatedGatewayConfig()


class OrdersConfig(_Section):
    """How patient execution is: the age at which a working limit order is cancelled."""

    time_out_s: PositiveFloat = 60.0
    acknowledge_within_s: PositiveFloat = 5.0


class ServiceConfig(_Section):
    """tradingd.yaml."""

    mode: Mode = Mode.SIMULATED
    timezone: str = "Europe/London"
    base_currency: str = "USD"
    day_at: time = time(23, 15)
    mongo: MongoConfig = MongoConfig()
    clock: ClockConfig = ClockConfig()
    broker: BrokerConfig = BrokerConfig()
    orders: OrdersConfig = OrdersConfig()

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        return _zone(value)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class ProcessConfig(_Section):
    """One entry of processes.yaml; unknown keys are errors, so that a typo cannot hide."""

    cron: str
    timezone: str | None = None
    timeout: Annotated[int, Field(gt=0)]
    grace: Annotated[int, Field(gt=0)] = 30
    after: tuple[str, ...] = ()
    max_attempts: PositiveInt = 1
    retry_delay: PositiveInt = 60
    needs_broker: bool = False
    enabled: bool = True

    @field_validator("timeout", "grace", "retry_delay", mode="before")
    @classmethod
    def _seconds(cls, value: object) -> object:
        return _duration_s(value) if isinstance(value, str) else value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        return None if value is None else _zone(value)


class StrategyConfig(_Section):
    """One strategy: its share of the capital and its system (see trading/systems/system_config.py)."""

    weight: PositiveFloat = 1.0
    system: dict[str, Any] = Field(default_factory=dict)


class StrategiesConfig(_Section):
    """strategies.yaml."""

    capital_method: Literal["full", "half", "fixed"] = "full"
    strategies: dict[str, StrategyConfig]


class ProcessesConfig(_Section):
    """processes.yaml."""

    processes: dict[str, ProcessConfig]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything that is configured. Each part of the program receives only its own section."""

    service: ServiceConfig
    processes: Mapping[str, ProcessConfig]
    capital_method: str
    strategies: Mapping[str, StrategyConfig]
    folder: Path

    def as_values(self) -> dict[str, Any]:
        """The configuration as plain values, for a process that must see exactly this one."""
        return {"service": self.service.model_dump(mode="json"), "capital_method": self.capital_method,
                "processes": {name: process.model_dump(mode="json") for name, process in self.processes.items()},
                "strategies": {name: strategy.model_dump(mode="json") for name, strategy in self.strategies.items()},
                "folder": str(self.folder)}

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> "Config":
        """What `as_values` gave."""
        return cls(service=ServiceConfig.model_validate(values["service"]), capital_method=values["capital_method"],
                   processes={name: ProcessConfig.model_validate(process)
                              for name, process in values["processes"].items()},
                   strategies={name: StrategyConfig.model_validate(strategy)
                               for name, strategy in values["strategies"].items()}, folder=Path(values["folder"]))


def load_config(folder: Path) -> Config:
    """Read `folder` over the shipped defaults.

    Raises:
        ConfigError: with one line a mistake, each naming file, line and key.
    """
    if not folder.is_dir():
        raise ConfigError(f"The configuration folder {folder} does not exist. Name another with --config, "
                          f"or copy the defaults from {shipped_folder()}.")
    documents = {name: _Document.read(name, folder) for name in FILES}
    service = _validated(ServiceConfig, documents["tradingd.yaml"])
    processes = _validated(ProcessesConfig, documents["processes.yaml"])
    strategies = _validated(StrategiesConfig, documents["strategies.yaml"])
    _check_dependencies(processes, documents["processes.yaml"])
    return Config(service=_with_secrets(service), processes=processes.processes, folder=folder,
                  capital_method=strategies.capital_method, strategies=strategies.strategies)


def source_line(folder: Path, file: str, path: KeyPath) -> str:
    """`file:line` of the key `path`, for an error found after loading."""
    return _Document.read(file, folder).place(path)


@dataclass(frozen=True)
class _Document:
    """One merged file and where each of its keys stands."""

    name: str
    values: dict[str, Any]
    lines: Mapping[KeyPath, str]

    @classmethod
    def read(cls, name: str, folder: Path) -> "_Document":
        values: dict[str, Any] = {}
        lines: dict[KeyPath, str] = {}
        for path in dict.fromkeys((shipped_folder() / name, folder / name)):
            if path.is_file():
                newer, places = _read_yaml(path)
                values = _merged(values, newer)
                lines |= places
        return cls(name, values, lines)

    def place(self, path: KeyPath) -> str:
        """The place of `path`, or of its nearest parent that is written somewhere."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, f"{self.name}:1")


def _read_yaml(path: Path) -> tuple[dict[str, Any], dict[KeyPath, str]]:
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=_Loader)
        values = {} if root is None else _Loader("").construct_document(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise ConfigError(f"{path}:{mark.line + 1 if mark else 1}: not YAML: {error.problem}.") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}:1: not YAML: {str(error).splitlines()[0]}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}:1: not UTF-8 text: {error.reason} at byte {error.start}.") from error
    except ValueError as error:  # 2021-02-30 looks like a date to the parser, and is none
        raise ConfigError(f"{path}:1: a date or time in this file does not exist: {error}.") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path}:1: expected `key: value` lines, found a {type(values).__name__}.")
    lines: dict[KeyPath, str] = {}
    if root is not None:
        _collect_lines(root, path, (), lines)
    return values, lines


def _collect_lines(node: yaml.Node, path: Path, prefix: KeyPath, lines: dict[KeyPath, str]) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*prefix, str(key.value))
            if here in lines:
                raise ConfigError(f"{path}:{key.start_mark.line + 1}: {'.'.join(here)}: this key stands here "
                                  f"twice (first in {lines[here]}). Keep one of them.")
            lines[here] = f"{path}:{key.start_mark.line + 1}"
            _collect_lines(value, path, here, lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[(*prefix, str(index))] = f"{path}:{item.start_mark.line + 1}"


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    both = {key: _merged(old[key], value) if isinstance(value, dict) and isinstance(old.get(key), dict) else value
            for key, value in new.items()}
    return old | both


def _validated(model: type[Model], document: _Document) -> Model:
    try:
        return model.model_validate(document.values)
    except ValidationError as error:
        raise ConfigError("\n".join(_lines_of(error, document, model))) from error


def _lines_of(error: ValidationError, document: _Document, model: type[BaseModel]) -> list[str]:
    lines = []
    for mistake in error.errors():
        path = tuple(str(part) for part in mistake["loc"])
        reason = mistake["msg"].removeprefix("Value error, ")
        if mistake["type"] == "extra_forbidden":
            reason = f"unknown key{_suggestion(path[-1], path, model)}"
        lines.append(f"{document.place(path)}: {'.'.join(path)}: {reason}.")
    return lines


def _suggestion(key: str, path: KeyPath, model: type[BaseModel]) -> str:
    from difflib import get_close_matches

    known = [name for section in (model, *_Section.__subclasses__()) for name in section.model_fields]
    close = get_close_matches(key, known, n=1)
    return f"; did you mean {close[0]}?" if close else f" (check the spelling of {path[-1]})"


def _check_dependencies(config: ProcessesConfig, document: _Document) -> None:
    for name, process in config.processes.items():
        for index, needed in enumerate(process.after):
            if needed not in config.processes:
                place = document.place(("processes", name, "after", str(index)))
                raise ConfigError(f"{place}: processes.{name}.after: {needed} is no process "
                                  f"(known: {', '.join(sorted(config.processes))}).")
    cycle = find_cycle({name: process.after for name, process in config.processes.items()})
    if cycle:
        place = document.place(("processes", cycle[0], "after"))
        raise ConfigError(f"{place}: processes.{cycle[0]}.after: the processes wait for each other: "
                          f"{' -> '.join(cycle)}. Remove one of these dependencies.")


def find_cycle(graph: Mapping[str, tuple[str, ...]]) -> list[str]:
    """A chain of names that leads back to its start, or an empty list."""
    from graphlib import CycleError, TopologicalSorter

    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [str(name) for name in reversed(error.args[1])]
    return []


def _with_secrets(service: ServiceConfig) -> ServiceConfig:
    uri = os.environ.get(MONGO_URI_VARIABLE) or service.mongo.uri
    return service.model_copy(update={"mongo": service.mongo.model_copy(update={"uri": uri})})


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone; use an IANA name, for example Europe/London") from error
    return name


def _duration_s(text: str) -> int:
    from datetime import timedelta

    from pydantic import TypeAdapter

    try:
        return int(TypeAdapter(timedelta).validate_python(text).total_seconds())
    except ValidationError as error:
        raise ValueError(f"{text!r} is no duration; write ISO 8601, for example PT1H30M") from error
