"""The figures for Prometheus, in a registry of their own: two daemons in one test do not share a counter.

Labels are names of processes and members of enums, so there are never more series than the configuration has lines.
"""

from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from trading.control.alert import Severity
from trading.control.process_run import RunState
from trading.control.process_state import ProcessState

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_LATENESS_S: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300, 900, 3600)
_DURATION_S: Final = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14_400, 43_200)


class Metrics:
    """What happened is counted, how things stand is set; `render` writes it all down."""

    def __init__(self) -> None:
        self.registry = here = CollectorRegistry()
        self._slots = Counter("tradingd_slots_total", "Slots of the schedule, by what became of them.",
                              ["process", "outcome"], registry=here)
        self._lateness = Histogram("tradingd_slot_lateness_seconds", "From the due time to the start of the run.",
                                   buckets=_LATENESS_S, registry=here)
        self._runs = Counter("tradingd_runs_total", "Runs that have ended, by their state.", ["process", "state"],
                             registry=here)
        self._durations = Histogram("tradingd_run_duration_seconds", "How long runs took.", ["process"],
                                    buckets=_DURATION_S, registry=here)
        self._states = Gauge("tradingd_process_state", "1 for the state that a process is in.", ["process", "state"],
                             registry=here)
        self._jumps = Counter("tradingd_clock_jumps_total", "How often the machine's clock was set.", registry=here)
        self._alerts = Gauge("tradingd_alerts_open", "Open alerts.", ["severity"], registry=here)
        self._leader = _gauge(here, "tradingd_leader", "1: this daemon is the active one.")
        self._token = _gauge(here, "tradingd_fencing_token", "The fencing token of the lease.")
        self._lease_age = _gauge(here, "tradingd_lease_age_seconds", "Since the lease was renewed last.")
        self._tick_lag = _gauge(here, "tradingd_tick_lag_seconds", "How much later than planned the loop woke up.")
        self._store = _gauge(here, "tradingd_store_up", "1: the database answers.")
        self._broker = _gauge(here, "tradingd_broker_up", "1: the broker's gateway is connected and ready.")
        self._active = _gauge(here, "tradingd_active_runs", "Runs that are going on.")
        self._generation = _gauge(here, "tradingd_config_generation", "The configuration that is in force.")
        self.set_alerts_open({})

    def slot(self, process: str, outcome: str, late_s: float | None = None) -> None:
        """A slot was decided upon; `late_s` only where a run was started for it."""
        self._slots.labels(process, outcome).inc()
        if late_s is not None:
            self._lateness.observe(max(late_s, 0.0))

    def run_ended(self, process: str, state: RunState, duration_s: float | None) -> None:
        """A run has its terminal state; without a duration where it never began."""
        self._runs.labels(process, state.value).inc()
        if duration_s is not None:
            self._durations.labels(process).observe(max(duration_s, 0.0))

    def set_process_state(self, process: str, state: ProcessState) -> None:
        for each in ProcessState:
            self._states.labels(process, each.value).set(int(each is state))

    def forget_process(self, process: str) -> None:
        """It is no longer configured; its counters stay, as they count what has happened."""
        for each in ProcessState:
            self._states.remove(process, each.value)

    def set_leader(self, leads: bool) -> None:
        self._leader.set(int(leads))

    def set_fencing_token(self, token: int) -> None:
        self._token.set(token)

    def set_lease_age(self, age_s: float) -> None:
        self._lease_age.set(age_s)

    def set_tick_lag(self, lag_s: float) -> None:
        self._tick_lag.set(lag_s)

    def set_store_up(self, up: bool) -> None:
        self._store.set(int(up))

    def set_broker_up(self, up: bool) -> None:
        self._broker.set(int(up))

    def set_active_runs(self, count: int) -> None:
        self._active.set(count)

    def set_alerts_open(self, counts: Mapping[Severity, int]) -> None:
        """A severity that `counts` does not name has none open."""
        for severity in Severity:
            self._alerts.labels(severity.value).set(counts.get(severity, 0))

    def set_config_generation(self, generation: int) -> None:
        self._generation.set(generation)

    def clock_jumped(self) -> None:
        self._jumps.inc()

    def render(self) -> bytes:
        """The text format of Prometheus."""
        return generate_latest(self.registry)


def _gauge(registry: CollectorRegistry, name: str, explained: str) -> Gauge:
    return Gauge(name, explained, registry=registry)
