"""The figures: what is counted, what is set, and that two daemons do not share them."""

from prometheus_client.parser import text_string_to_metric_families

from daemon.watching.metrics import Metrics
from trading.control.alert import Severity
from trading.control.process_run import RunState
from trading.control.process_state import ProcessState


def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    """The value that Prometheus reads, None when there is no such series."""
    found = [each.value for family in text_string_to_metric_families(metrics.render().decode())
             for each in family.samples if each.name == name and each.labels == labels]
    return found[0] if found else None


def test_slots_are_counted_by_process_and_outcome() -> None:
    metrics = Metrics()
    metrics.slot("run_systems", "started", 0.02)
    metrics.slot("run_systems", "started", 0.03)
    metrics.slot("run_systems", "missed")
    assert sample(metrics, "tradingd_slots_total", process="run_systems", outcome="started") == 2
    assert sample(metrics, "tradingd_slots_total", process="run_systems", outcome="missed") == 1


def test_only_started_slots_have_a_lateness() -> None:
    metrics = Metrics()
    metrics.slot("run_systems", "started", 0.02)
    metrics.slot("run_systems", "missed")
    assert sample(metrics, "tradingd_slot_lateness_seconds_count") == 1
    assert sample(metrics, "tradingd_slot_lateness_seconds_bucket", le="0.02") == 1
    assert sample(metrics, "tradingd_slot_lateness_seconds_bucket", le="0.01") == 0


def test_a_slot_that_a_stepped_clock_shows_as_early_is_not_late() -> None:
    metrics = Metrics()
    metrics.slot("run_systems", "started", -3.0)
    assert sample(metrics, "tradingd_slot_lateness_seconds_sum") == 0


def test_ended_runs_are_counted_and_timed() -> None:
    metrics = Metrics()
    metrics.run_ended("run_systems", RunState.FINISHED, 40.0)
    metrics.run_ended("run_systems", RunState.CANCELLED, None)
    assert sample(metrics, "tradingd_runs_total", process="run_systems", state="FINISHED") == 1
    assert sample(metrics, "tradingd_runs_total", process="run_systems", state="CANCELLED") == 1
    assert sample(metrics, "tradingd_run_duration_seconds_count", process="run_systems") == 1
    assert sample(metrics, "tradingd_run_duration_seconds_sum", process="run_systems") == 40


def test_a_process_is_in_one_state_at_a_time() -> None:
    metrics = Metrics()
    metrics.set_process_state("run_systems", ProcessState.RUNNING)
    metrics.set_process_state("run_systems", ProcessState.FINISHED)
    states = {state: sample(metrics, "tradingd_process_state", process="run_systems", state=state.value)
              for state in ProcessState}
    assert states == {state: float(state is ProcessState.FINISHED) for state in ProcessState}


def test_a_process_that_is_no_longer_configured_is_in_no_state() -> None:
    metrics = Metrics()
    metrics.set_process_state("run_systems", ProcessState.RUNNING)
    metrics.forget_process("run_systems")
    assert sample(metrics, "tradingd_process_state", process="run_systems", state="RUNNING") is None


def test_how_things_stand_is_set() -> None:
    metrics = Metrics()
    metrics.set_leader(True)
    metrics.set_fencing_token(7)
    metrics.set_lease_age(1.5)
    metrics.set_tick_lag(0.004)
    metrics.set_store_up(True)
    metrics.set_broker_up(False)
    metrics.set_active_runs(2)
    metrics.set_config_generation(3)
    metrics.clock_jumped()
    read = {name: sample(metrics, f"tradingd_{name}") for name in (
        "leader", "fencing_token", "lease_age_seconds", "tick_lag_seconds", "store_up", "broker_up", "active_runs",
        "config_generation", "clock_jumps_total")}
    assert read == {"leader": 1, "fencing_token": 7, "lease_age_seconds": 1.5, "tick_lag_seconds": 0.004,
                    "store_up": 1, "broker_up": 0, "active_runs": 2, "config_generation": 3, "clock_jumps_total": 1}


def test_a_severity_of_which_none_is_open_reads_zero() -> None:
    metrics = Metrics()
    metrics.set_alerts_open({Severity.CRITICAL: 2})
    metrics.set_alerts_open({Severity.WARNING: 1})
    assert [sample(metrics, "tradingd_alerts_open", severity=severity.value) for severity in Severity] == [0, 1, 0]


def test_two_daemons_count_for_themselves() -> None:
    one, other = Metrics(), Metrics()
    one.clock_jumped()
    assert sample(other, "tradingd_clock_jumps_total") == 0
