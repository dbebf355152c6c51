"""One entry of processes.yaml: when a process runs, what it needs, and what happens when it cannot (scheduler.md 2).

Unknown keys are errors, so that a typo cannot hide. Durations are ISO 8601 in the file (PT1H30M), seconds here.
"""

from datetime import date, time, timedelta
from enum import StrEnum
from itertools import combinations
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveInt,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)


class CatchUp(StrEnum):
    """What happens to slots that were missed: noticed later than the grace allows."""

    NONE = "none"  # recorded as missed
    LATEST = "latest"  # the newest runs, the others are recorded as coalesced into it
    ALL = "all"  # each runs, oldest first, within `catchup_max` and `catchup_window`


class Overlap(StrEnum):
    """What happens to a slot that comes while an earlier run still goes on."""

    SKIP = "skip"  # recorded as skipped
    QUEUE_ONE = "queue_one"  # the newest waits
    QUEUE_ALL = "queue_all"  # each waits, at most `queue_max`
    TERMINATE_OLD = "terminate_old"  # the old run is stopped, the newest slot waits for its end


class OnLost(StrEnum):
    """What happens to a run whose worker vanished, so that nobody knows what it did."""

    HOLD = "hold"  # it is LOST until somebody says `tradectl resolve`; at most once
    RETRY = "retry"  # a new attempt; for jobs that may repeat their work


class OnHoliday(StrEnum):
    """What happens to a slot on a day that `calendar` does not list."""

    SKIP = "skip"
    RUN = "run"
    PREVIOUS = "previous"  # it runs on the last business day before, at the same local time
    NEXT = "next"  # ... on the first one after


class OnWindowEnd(StrEnum):
    """What happens to a batch run that is still going when its window ends."""

    LET_FINISH = "let_finish"
    STOP = "stop"


class ProcessKind(StrEnum):
    """How a process works."""

    BATCH = "batch"  # does its work and ends
    SERVICE = "service"  # works until its window ends, then is asked to stop


def duration_s(value: object) -> object:
    """Seconds of an ISO 8601 duration; anything but text is left to the model.

    Raises:
        ValueError: the text is no duration.
    """
    if not isinstance(value, str):
        return value
    try:
        return TypeAdapter(timedelta).validate_python(value).total_seconds()
    except ValidationError as error:
        raise ValueError(f"{value!r} is no duration; write ISO 8601, for example PT1H30M") from error


def known_zone(name: str) -> str:
    """`name`, if the time zone database knows it.

    Raises:
        ValueError: it does not.
    """
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone; use an IANA name, for example Europe/London") from error
    return name


Seconds = Annotated[int, BeforeValidator(duration_s), Field(gt=0)]


class Section(BaseModel):
    """A part of a configuration file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _local_time(value: object) -> object:
    """Refuse what YAML has made of a time without quotes, and what names a zone.

    Raises:
        ValueError: the value is a number, or a time with a zone.
    """
    if isinstance(value, int | float):  # YAML 1.1 reads 20:00 in sixties, as 1200
        meant = f"{int(value) // 60:02d}:{int(value) % 60:02d}" if 0 <= value < 1440 else "20:00"
        raise ValueError(f"{value} is no time; YAML reads a time without quotes as a number, write \"{meant}\"")
    if isinstance(value, str) and value.strip() in ("24:00", "24:00:00"):
        raise ValueError(f"{value} is no time of a day; write \"00:00\" for its end")
    return value


def _without_zone(value: time) -> time:
    if value.tzinfo is not None:
        raise ValueError(f"{value.isoformat()} has a zone; a window is read in the time zone of its process")
    return value


LocalTime = Annotated[time, BeforeValidator(_local_time), AfterValidator(_without_zone)]


class WindowConfig(Section):
    """Local times between which slots run; it may cross midnight and belongs to the date on which it opens."""

    start: LocalTime
    stop: LocalTime

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.start == self.stop:
            raise ValueError(f"start and stop are both {self.start:%H:%M}; the window would never be open. "
                             f"For the whole day leave the window out")
        return self

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.stop:%H:%M}"

    @property
    def crosses_midnight(self) -> bool:
        """Whether it closes on the date after that on which it opens."""
        return self.stop < self.start

    def covers(self, moment: time) -> bool:
        """Whether `moment` lies between start and stop, on the face of a clock."""
        if self.crosses_midnight:
            return moment >= self.start or moment < self.stop
        return self.start <= moment < self.stop


def _as_list(value: object) -> object:
    """One window, a list of them, or none."""
    if value is None:
        return ()
    return (value,) if isinstance(value, dict | WindowConfig) else value


Windows = Annotated[tuple[WindowConfig, ...], BeforeValidator(_as_list)]


class MethodConfig(Section):
    """How often a method of a service process is repeated within its window (pysystemtrade's method table)."""

    every: Seconds | None = None  # aligned to the start of the window
    after_finish: Seconds | None = None  # this long after its last end
    max_runs: PositiveInt | None = None
    on_exit_only: bool = False  # once, when the process is asked to stop

    @model_validator(mode="after")
    def _one_rhythm(self) -> Self:
        given = [self.every is not None, self.after_finish is not None, self.on_exit_only]
        if sum(given) > 1:
            raise ValueError("every, after_finish and on_exit_only exclude each other; keep one")
        return self


class ProcessConfig(Section):
    """When one process runs. Exactly one of `cron`, `every`, `after_finish` and `on_success_of` starts it."""

    cron: str | None = None  # five fields, read in `timezone`
    every: Seconds | None = None  # aligned to the start of the window, or to local midnight
    after_finish: Seconds | None = None  # this long after its last end, within the window
    on_success_of: str | None = None  # whenever that process has FINISHED
    max_runs: PositiveInt | None = None  # at most so many in a window, or a trading day
    timezone: str | None = None
    calendar: str | None = None  # its business days; `weekdays`, or one of `calendars`
    on_holiday: OnHoliday = OnHoliday.SKIP
    window: Windows = ()  # one mapping with start and stop, or a list of them
    on_window_end: OnWindowEnd = OnWindowEnd.LET_FINISH
    kind: ProcessKind = ProcessKind.BATCH
    methods: dict[str, MethodConfig] = Field(default_factory=dict)

    timeout: Seconds
    grace: Seconds = 30  # between the polite request to stop and the kill
    deadline: Seconds | None = None  # after its slot; it is neither started nor left running later
    start_timeout: Seconds = 30  # within which a worker must have taken its run

    after: tuple[str, ...] = ()  # must have FINISHED on the same trading day
    resources: dict[str, PositiveInt] = Field(default_factory=dict)
    needs_broker: bool = False
    priority: int = 0  # the higher goes first where several wait

    misfire_grace: Seconds = 60
    catchup: CatchUp = CatchUp.NONE
    catchup_max: PositiveInt = 10
    catchup_window: Seconds = 86_400
    coalesce: bool = False  # several slots noticed at once are one run
    overlap: Overlap = Overlap.SKIP
    queue_max: PositiveInt = 10
    jitter: Seconds | None = None

    max_attempts: PositiveInt = 1
    retry_delay: Seconds = 60
    retry_factor: Annotated[float, Field(ge=1)] = 2.0
    retry_cap: Seconds = 900
    on_lost: OnLost = OnLost.HOLD

    job: str | None = None  # the module that does the work; default: processes.<name>
    arguments: dict[str, Any] = Field(default_factory=dict)
    memory_max_mb: PositiveInt | None = None
    log_max_mb: PositiveInt = 50  # of one run
    critical: bool = False  # its alerts wake people, until acknowledged
    was: str | None = None  # its former name, whose history and place in the schedule it carries on
    enabled: bool = True

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        return None if value is None else known_zone(value)

    @field_validator("window")
    @classmethod
    def _windows_apart(cls, value: tuple[WindowConfig, ...]) -> tuple[WindowConfig, ...]:
        for one, other in combinations(value, 2):
            if one.covers(other.start) or other.covers(one.start):
                raise ValueError(f"the windows {one} and {other} overlap; let one end where the other begins, or "
                                 f"write one window for both")
        return value

    @model_validator(mode="after")
    def _one_trigger(self) -> Self:
        triggers = {"cron": self.cron, "every": self.every, "after_finish": self.after_finish,
                    "on_success_of": self.on_success_of}
        given = [name for name, value in triggers.items() if value is not None]
        if len(given) != 1:
            found = f"found {' and '.join(given)}" if given else "found none"
            raise ValueError(f"exactly one of {', '.join(triggers)} says when it runs; {found}")
        if self.kind is ProcessKind.SERVICE and not self.window:
            raise ValueError("a service works until its window ends; give it a window with start and stop")
        if self.on_holiday is not OnHoliday.SKIP and self.calendar is None:
            raise ValueError(f"on_holiday: {self.on_holiday} needs a calendar that knows the holidays; add calendar:")
        if self.methods and self.kind is not ProcessKind.SERVICE:
            raise ValueError("only a service repeats methods; write kind: service, or remove methods")
        return self

    def upstream(self) -> tuple[str, ...]:
        """The processes that this one depends on."""
        return self.after if self.on_success_of is None else (*self.after, self.on_success_of)


class CalendarConfig(Section):
    """The business days of a calendar: an exchange's, or every weekday but the dates of a file."""

    exchange: str | None = None  # an ISO 10383 code, for example XLON
    holidays: str | None = None  # a file beside processes.yaml: one ISO date a line
    until: date | None = None  # the last date that the file is good for, YYYY-MM-DD; without it, for ever

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.exchange is None) == (self.holidays is None):
            raise ValueError("a calendar is either an exchange (exchange: XLON) or a file (holidays: FILE)")
        if self.exchange is not None and self.until is not None:
            raise ValueError("until belongs to a file of holidays; an exchange's calendar knows its own end")
        return self


class ProcessesConfig(Section):
    """processes.yaml."""

    resources: dict[str, PositiveInt] = Field(default_factory=dict)  # how much there is of each
    calendars: dict[str, CalendarConfig] = Field(default_factory=dict)
    processes: dict[str, ProcessConfig]
