"""Configuration: YAML files, merged key by key over the shipped defaults, checked as a whole at start.

tradingd.yaml, processes.yaml, and a file for each strategy. What a strategy's system means is not known here.

A wrong file changes nothing: all its mistakes are told at once, each with file, line, column, key and the line itself.
Secrets are not configuration; they come from the environment (TRADINGD_MONGO_URI) or systemd credentials.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, PositiveFloat, ValidationError, ValidationInfo, field_validator

from trading.alerts_config import AlertsConfig, DeadManConfig, MetricsConfig
from trading.broker_config import BrokerConfig
from trading.config_files import MergedFile, Texts
from trading.config_mistakes import reason, understood, without_numbers
from trading.errors import ConfigError
from trading.orders_config import OrdersConfig, RiskConfig
from trading.process_config import CalendarConfig, ProcessConfig, ProcessesConfig, Section, known_zone
from trading.secrets import secret
from trading.shipped import shipped_folder
from trading.strategy_files import is_strategy_file, strategy_files, strategy_of
from trading.yaml_document import ConfigProblems, KeyPath, Problem

MONGO_URI_VARIABLE: Final = "TRADINGD_MONGO_URI"
FILES: Final = ("tradingd.yaml", "processes.yaml")

Model = TypeVar("Model", bound=BaseModel)


class Mode(StrEnum):
    """What is at stake; stamped into the database, so that one cannot be mistaken for another."""

    SIMULATED = "simulated"  # the simulated gateway, started by the daemon; nobody's money
    PAPER = "paper"  # a paper account at the broker
    LIVE = "live"  # real money


class MongoConfig(Section):
    """Where state lives. Without a `uri` the daemon runs its own embedded server."""

    uri: str | None = None
    database: str = "tradingd"
    timeout_s: PositiveFloat = 5.0
    connect_limit_s: PositiveFloat = 60.0


class ClockConfig(Section):
    """`as_of` shifts the world's clock to a recorded moment; only in mode simulated."""

    as_of: datetime | None = None
    max_forward_jump_s: PositiveFloat = 86_400.0  # a larger step holds the schedule until somebody accepts it

    @field_validator("as_of")
    @classmethod
    def _aware(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no zone; write for example {value.isoformat()}+00:00")
        return value


class TradingDayConfig(Section):
    """When a trading day begins. One that begins after noon is named for the next date (futures: 17:00 Chicago)."""

    starts_at: time = time(0)
    timezone: str | None = None  # default: the operator's

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        return None if value is None else known_zone(value)


class LeadershipConfig(Section):
    """How long a lease on the store lasts without renewal: what a fail-over takes at most, about."""

    ttl_s: Annotated[float, Field(ge=1)] = 10.0
    renew_s: PositiveFloat = 3.0


class WatchdogConfig(Section):
    """The second process, which sees to it that a halt is one: what it connects as, and how patient it is.

    `most_orders` rest at the broker at once, of everybody; a position may pass its limit by `position_margin` of it.
    """

    client_id: int = Field(default=90, ge=1)
    every_s: PositiveFloat = 5.0
    halt_grace_s: PositiveFloat = 30.0
    silent_after_s: PositiveFloat = 120.0
    blind_after_s: PositiveFloat = 300.0
    most_orders: int = Field(default=50, ge=1)
    position_margin: float = Field(default=0.25, ge=0, allow_inf_nan=False)


class ServiceConfig(Section):
    """tradingd.yaml."""

    mode: Mode = Mode.SIMULATED
    timezone: str = "Europe/London"
    base_currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    capital_method: Literal["full", "half", "fixed"] = "full"
    day_at: time = time(23, 15)
    trading_day: TradingDayConfig = TradingDayConfig()
    mongo: MongoConfig = MongoConfig()
    leadership: LeadershipConfig = LeadershipConfig()
    clock: ClockConfig = ClockConfig()
    broker: BrokerConfig = BrokerConfig()
    orders: OrdersConfig = OrdersConfig()
    risk: RiskConfig = RiskConfig()
    alerts: AlertsConfig = AlertsConfig()
    dead_man: DeadManConfig = DeadManConfig()
    metrics: MetricsConfig = MetricsConfig()
    watchdog: WatchdogConfig = Field(default=WatchdogConfig(), validate_default=True)

    @field_validator("watchdog")
    @classmethod
    def _own_client_id(cls, value: WatchdogConfig, known: ValidationInfo) -> WatchdogConfig:
        broker = known.data.get("broker")
        if broker is not None and broker.client_id == value.client_id:
            raise ValueError(f"the watchdog connects beside the service, so its client_id must be another one than "
                             f"broker.client_id ({value.client_id})")
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        return known_zone(value)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def gateway_zone(self) -> ZoneInfo:
        """The zone in which the gateway writes times without one."""
        return ZoneInfo(self.broker.timezone or self.timezone)

    @property
    def statement_zone(self) -> ZoneInfo:
        """The zone of the times in the broker's statement, which names none."""
        named = self.broker.statements.timezone
        return self.gateway_zone if named is None else ZoneInfo(named)


class StrategyConfig(Section):
    """One file of strategies/: its share of the capital and its system (see trading/systems/system_config.py)."""

    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    system: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything that is configured. Each part of the program receives only its own section."""

    service: ServiceConfig
    processes: Mapping[str, ProcessConfig]
    resources: Mapping[str, int]
    calendars: Mapping[str, CalendarConfig]
    strategies: Mapping[str, StrategyConfig]
    folder: Path

    @cached_property
    def values(self) -> Mapping[str, Any]:
        """The configuration as plain values, for a process that must see exactly this one; made once, for many runs."""
        return {"service": self.service.model_dump(mode="json"),
                "processes": {name: process.model_dump(mode="json", exclude_defaults=True)
                              for name, process in self.processes.items()},
                "resources": dict(self.resources),
                "calendars": {name: calendar.model_dump(mode="json") for name, calendar in self.calendars.items()},
                "strategies": {name: strategy.model_dump(mode="json") for name, strategy in self.strategies.items()},
                "folder": str(self.folder)}

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> "Config":
        """What `values` gave."""
        return cls(service=ServiceConfig.model_validate(values["service"]),
                   processes={name: ProcessConfig.model_validate(process)
                              for name, process in values["processes"].items()},
                   resources=values["resources"],
                   calendars={name: CalendarConfig.model_validate(calendar)
                              for name, calendar in values["calendars"].items()},
                   strategies={name: StrategyConfig.model_validate(strategy)
                               for name, strategy in values["strategies"].items()}, folder=Path(values["folder"]))


def load_config(folder: Path, texts: Texts | None = None) -> Config:
    """Read `folder` over the shipped defaults; with `texts`, as if its files said that.

    Raises:
        ConfigError: with everything that is wrong, each with file, line, column and key.
    """
    return read_config(folder, texts).finish()


def read_config(folder: Path, texts: Texts | None = None) -> "Reading":
    """What `folder` says and what is wrong with it, for checks that go on after the first mistake.

    Raises:
        ConfigError: there is no such folder.
    """
    if not folder.is_dir():
        raise ConfigError(f"The configuration folder {folder} does not exist. Name another with --config, "
                          f"or copy the defaults from {shipped_folder()}.")
    files, problems = strategy_files(folder, texts)
    documents = {name: MergedFile.read(name, folder, texts) for name in (*FILES, *files)}
    reading = Reading(folder=folder, documents=documents, problems=problems)
    reading.read()
    return reading


def source_line(folder: Path, file: str, path: KeyPath) -> str:
    """`file:line` of the key `path`, for an error found after loading."""
    place = MergedFile.read(file, folder, None).place(path)
    return f"{place.file}:{place.line}"


@dataclass(kw_only=True)
class Reading:
    """What a folder says, as far as it can be understood, and everything that is wrong with it."""

    folder: Path
    documents: Mapping[str, MergedFile]
    problems: list[Problem] = field(default_factory=list)
    service: ServiceConfig | None = None
    processes: ProcessesConfig | None = None  # those that can be understood, without their wrong keys
    strategies: dict[str, StrategyConfig] = field(default_factory=dict)  # those that can be understood

    def read(self) -> None:
        """Understand the files; complain about the rest."""
        for document in self.documents.values():
            self.problems += document.problems
        self.service = self._validated(ServiceConfig, "tradingd.yaml")
        for file in self.strategy_files():
            if (strategy := self._validated(StrategyConfig, file)) is not None:
                self.strategies[strategy_of(file)] = strategy
        self.processes = self._validated(ProcessesConfig, "processes.yaml") or self._what_is_right()
        if self.processes is not None:
            self._check_names(self.processes)
            self._check_cycles(self.processes)

    def strategy_files(self) -> tuple[str, ...]:
        """Of the strategies that trade, if nothing is wrong with them."""
        return tuple(filter(is_strategy_file, self.documents))

    def systems(self) -> dict[str, dict[str, Any]]:
        """The settings under `system` in the file of each strategy, as far as that can be read."""
        said = {file: self.documents[file].values.get("system", {}) for file in self.strategy_files()
                if not self.documents[file].problems}
        return {file: settings for file, settings in said.items() if isinstance(settings, dict)}

    def complain(self, file: str, path: KeyPath, what: str) -> None:
        """Note a mistake in the value of `path`."""
        self.problems.append(Problem(place=self.documents[file].place(path), path=without_numbers(path), what=what))

    def finish(self) -> Config:
        """The configuration.

        Raises:
            ConfigError: something is wrong; the message is all of it.
        """
        if self.problems or self.service is None or self.processes is None:
            raise ConfigProblems(self.problems)
        return Config(service=_with_secrets(self.service), folder=self.folder, processes=self.processes.processes,
                      resources=self.processes.resources, calendars=self.processes.calendars,
                      strategies=self.strategies)

    def service_with_secrets(self) -> ServiceConfig | None:
        """tradingd.yaml alone; None when it is wrong."""
        return None if self.service is None else _with_secrets(self.service)

    def _validated(self, model: type[Model], file: str) -> Model | None:
        document = self.documents[file]
        if document.problems:
            return None
        try:
            return model.model_validate(document.values)
        except ValidationError as error:
            for mistake in error.errors():
                path = tuple(str(part) for part in mistake["loc"])
                self.complain(file, path, f"{reason(mistake, path, model)}.")
            return None

    def _what_is_right(self) -> ProcessesConfig | None:
        """The parts of processes.yaml that can be understood, so that the other checks see them as well."""
        document = self.documents["processes.yaml"]
        entries = document.values.get("processes")
        if document.problems or not isinstance(entries, dict):
            return None
        wrong = {problem.path for problem in self.problems}
        right = {str(name): known for name, values in entries.items() if isinstance(values, dict)
                 and (known := understood(values, {path[2] for path in wrong if path[:2] == (
                     "processes", str(name)) and len(path) > 2})) is not None}
        shared = {key: values for key in ("resources", "calendars") if isinstance(
            values := document.values.get(key), dict) and not any(path[:1] == (key,) for path in wrong)}
        return ProcessesConfig.model_validate({**shared, "processes": right})

    def _check_names(self, config: ProcessesConfig) -> None:
        """The processes, resources and calendars that a process names must exist."""
        names = [str(name) for name in self.documents["processes.yaml"].values.get("processes", ())]
        calendars = ("weekdays", *config.calendars)
        for name, process in config.processes.items():
            for key, needed in (*((("after", str(i)), each) for i, each in enumerate(process.after)),
                                (("on_success_of",), process.on_success_of)):
                if needed is not None and needed not in names:
                    self._about(name, key, f"{needed} is no process (known: {', '.join(sorted(names))}).")
            if process.was is not None and process.was in names:
                self._about(name, ("was",), f"{process.was} still exists; `was` is the name that {name} had before. "
                                            f"Remove {process.was}, or this key.")
            for resource, wanted in process.resources.items():
                there = config.resources.get(resource, 0)
                if wanted > there:
                    self._about(name, ("resources", resource), f"it wants {wanted}, there are {there}. "
                                                               f"Add `{resource}: {wanted}` to resources:.")
            if process.calendar is not None and process.calendar not in calendars:
                self._about(name, ("calendar",), f"there is no calendar {process.calendar} "
                                                 f"(known: {', '.join(calendars)}).")

    def _check_cycles(self, config: ProcessesConfig) -> None:
        graph = {name: process.upstream() for name, process in config.processes.items()}
        while cycle := find_cycle(graph):
            first, second = cycle[:2]
            key = "on_success_of" if config.processes[first].on_success_of == second else "after"
            self._about(first, (key,), f"the processes wait for each other: {' -> '.join(cycle)}. "
                                       f"Remove one of these dependencies.")
            graph[first] = tuple(name for name in graph[first] if name != second)

    def _about(self, process: str, key: KeyPath, what: str) -> None:
        self.complain("processes.yaml", ("processes", process, *key), what)


def find_cycle(graph: Mapping[str, tuple[str, ...]]) -> list[str]:
    """A chain of names that leads back to its start, or an empty list."""
    from graphlib import CycleError, TopologicalSorter

    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [str(name) for name in reversed(error.args[1])]
    return []


def _with_secrets(service: ServiceConfig) -> ServiceConfig:
    uri = secret("mongo_uri") or service.mongo.uri  # TRADINGD_MONGO_URI, or the credential
    return service.model_copy(update={"mongo": service.mongo.model_copy(update={"uri": uri})})
