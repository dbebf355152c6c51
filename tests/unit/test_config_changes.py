"""What an edit changes, told before it is applied: words, fire times before and after, and what to mind."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from daemon.configuration.config_changes import Change, ChangeKind, as_lines, as_values, describe, headlines
from daemon.cron.business_days import BusinessDays
from daemon.decisions.upcoming import duration_in_words, in_words, upcoming
from trading.config import Config, load_config
from trading.process_config import CalendarConfig, ProcessConfig
from trading.shipped import shipped_folder

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)  # a Monday
SHIPPED = load_config(shipped_folder())


def a_process(**values: Any) -> ProcessConfig:
    return ProcessConfig.model_validate({"timeout": 3600} | ({"cron": "0 20 * * 1-5"} if not {
        "every", "after_finish", "on_success_of"} & set(values) else {}) | values)


def a_config(**processes: ProcessConfig) -> Config:
    return replace(SHIPPED, processes=processes, resources={}, calendars={})


def changes(old: Config, new: Config, running: Collection[str] = ()) -> list[Change]:
    return describe(old, new, NOW, {}, {}, running)


def test_no_change_is_no_line() -> None:
    assert changes(SHIPPED, SHIPPED) == []


def test_another_time_is_told_in_words_and_in_fire_times() -> None:
    lines = as_lines(changes(a_config(a=a_process()), a_config(a=a_process(cron="30 21 * * 1-5"))))
    assert lines == [
        "a: cron 0 20 * * 1-5 -> 30 21 * * 1-5",
        "  - at 20:00 on Monday to Friday: Mon 2026-03-02 20:00 GMT, Tue 2026-03-03 20:00 GMT, Wed 2026-03-04 20:00 "
        "GMT, Thu 2026-03-05 20:00 GMT, Fri 2026-03-06 20:00 GMT",
        "  + at 21:30 on Monday to Friday: Mon 2026-03-02 21:30 GMT, Tue 2026-03-03 21:30 GMT, Wed 2026-03-04 21:30 "
        "GMT, Thu 2026-03-05 21:30 GMT, Fri 2026-03-06 21:30 GMT"]


def test_fire_times_are_the_operators_whatever_zone_the_process_reads() -> None:
    change, = changes(a_config(), a_config(a=a_process(timezone="America/New_York")))
    assert change.new_times[0].isoformat() == "2026-03-03T01:00:00+00:00"
    assert change.new_words == "at 20:00 on Monday to Friday, America/New_York time"


def test_a_clock_change_that_moves_the_new_time_is_a_warning() -> None:
    change, = changes(a_config(a=a_process()), a_config(a=a_process(cron="30 1 * * *")))
    assert change.warnings[0].startswith("on 2026-03-29 the clock goes from 01:00 to 02:00: one run at 02:00")


def test_what_does_not_touch_the_times_warns_of_nothing() -> None:
    change, = changes(a_config(a=a_process(cron="30 1 * * *")), a_config(a=a_process(cron="30 1 * * *", grace=60)))
    assert (change.reschedules, change.warnings) == (False, ())
    assert as_lines([change]) == ["a: grace 30 -> 60"]


def test_more_and_fewer_runs_are_noted() -> None:
    daily, often = a_config(a=a_process()), a_config(a=a_process(every="PT5M"))
    assert changes(daily, often)[0].notes == ("more frequent than before",)
    assert changes(often, daily)[0].notes == ("less frequent than before",)


def test_a_process_that_is_switched_off_says_so() -> None:
    change, = changes(a_config(a=a_process()), a_config(a=a_process(enabled=False)))
    assert (change.notes, change.new_times) == (("switched off",), ())


def test_a_running_process_keeps_its_configuration() -> None:
    old = a_config(a=a_process(), b=a_process())
    edited, removed = changes(old, a_config(b=a_process(grace=60)), running={"a", "b"})[::-1]
    assert removed.notes == ("running: its run goes on to its end",)
    assert edited.notes == ("running: it keeps its configuration until its end",)


def test_added_and_removed_processes_show_their_times() -> None:
    added, = changes(a_config(), a_config(a=a_process()))
    removed, = changes(a_config(a=a_process()), a_config())
    assert (added.kind, len(added.new_times), added.old_times) == (ChangeKind.ADDED, 5, ())
    assert (removed.kind, len(removed.old_times), removed.new_times) == (ChangeKind.REMOVED, 5, ())
    assert as_lines([removed])[0] == "a: removed"


def test_a_rename_is_one_change_that_carries_the_history_on() -> None:
    change, = changes(a_config(old=a_process()), a_config(new=a_process(was="old", grace=60)), running={"old"})
    assert as_lines([change]) == [
        "old -> new: renamed, grace 30 -> 60",
        "  note: carries on the history and the place in the schedule of old",
        "  note: running: the run of old goes on to its end"]


def test_an_old_rename_is_no_news() -> None:
    config = a_config(new=a_process(was="old"))
    assert changes(config, config) == []


def test_a_holiday_file_changes_times_without_a_key() -> None:
    config = replace(a_config(a=a_process(calendar="desk")), calendars={"desk": CalendarConfig(holidays="desk.txt")})
    closed = BusinessDays(holidays=frozenset({date(2026, 3, 2)}))
    change, = describe(config, config, NOW, {"desk": BusinessDays()}, {"desk": closed})
    assert (change.keys, change.old_times[0].day, change.new_times[0].day) == ((), 2, 3)


def test_the_service_is_restarted_and_its_secrets_are_not_told() -> None:
    mongo = SHIPPED.service.mongo.model_copy(update={"uri": "mongodb://ana:secret@db/", "timeout_s": 7.0})
    new = replace(SHIPPED, service=SHIPPED.service.model_copy(update={"mongo": mongo}))
    assert as_lines(changes(SHIPPED, new)) == [
        "tradingd.yaml: mongo.uri ... -> ..., mongo.timeout_s 5.0 -> 7.0; restart to apply (tradectl restart)"]


def test_strategies_and_resources_are_compared_key_by_key() -> None:
    name, strategy = next(iter(SHIPPED.strategies.items()))
    new = replace(SHIPPED, strategies={name: strategy.model_copy(update={"weight": 2.0}), "mine": strategy},
                  resources={"ib": 1})
    assert headlines(changes(SHIPPED, new)) == [
        "resources: ib nothing -> 1", f"strategy {name}: weight 1.0 -> 2.0", "strategy mine: added"]


def test_a_strategy_that_goes_leaves_its_positions_behind() -> None:
    name, strategy = next(iter(SHIPPED.strategies.items()))
    assert as_lines(changes(SHIPPED, replace(SHIPPED, strategies={"renamed": strategy}))) == [
        f"strategy {name}: removed", "  note: what it holds stays held, and is only rolled from now on",
        "strategy renamed: added"]


def test_changes_are_plain_values_for_programs() -> None:
    row, = as_values(changes(a_config(a=a_process()), a_config(a=a_process(grace=60))))
    assert row["keys"] == [{"key": "grace", "old": "30", "new": "60"}]
    assert row["new_times"][0] == "2026-03-02T20:00:00+00:00"


def test_every_kind_of_schedule_has_words() -> None:
    window = {"start": "08:00", "stop": "20:00"}
    assert in_words(a_process(every=300, window=window)) == "every 5 minutes, between 08:00 and 20:00"
    assert in_words(a_process(after_finish=90)) == "90 seconds after its last end"
    assert in_words(a_process(on_success_of="b", enabled=False)) == "whenever b has finished; switched off"
    assert in_words(a_process(cron="@reboot")) == "once at each start of the service"
    assert in_words(a_process(calendar="weekdays", on_holiday="next")) == (
        "at 20:00 on Monday to Friday, on the business days of weekdays (holidays: next)")
    assert [duration_in_words(seconds) for seconds in (1, 60, 5400, 86_400)] == ["1 second", "1 minute", "90 minutes",
                                                                               "1 day"]


def test_upcoming_slots_come_in_order_of_time_with_their_words() -> None:
    processes = {"late": a_process(), "early": a_process(cron="0 13 * * *"), "off": a_process(enabled=False),
                 "chained": a_process(on_success_of="late")}
    rows = upcoming(processes, SHIPPED.service.zone, {}, NOW, 3)
    assert [(row["process"], row["local"]) for row in rows] == [
        ("early", "2026-03-02T13:00:00+00:00"), ("late", "2026-03-02T20:00:00+00:00"),
        ("early", "2026-03-03T13:00:00+00:00")]
    assert rows[0]["explain"] == "at 13:00 every day"


def test_one_process_alone_is_listed_as_far_as_wanted() -> None:
    assert len(upcoming({"a": a_process()}, SHIPPED.service.zone, {}, NOW, 25)) == 25
    assert len(upcoming({"a": a_process(), "b": a_process()}, SHIPPED.service.zone, {}, NOW, 25)) == 20
