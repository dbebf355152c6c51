"""The schedule as a crontab: what is shown is what is read back, and mistakes name line and column."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.configuration.crontab_view import (
    HEADER,
    TRIGGERS,
    ViewError,
    from_view,
    read_view,
    to_view,
    without_nothing,
)
from trading.process_config import ProcessConfig
from trading.shipped import shipped_folder
from trading.yaml_document import read_yaml

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
SCALAR = st.one_of(TEXT, st.integers(-10**9, 10**9), st.booleans(), st.none(),
                   st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(
                       ("20:00", "no", "1e5", "0x1F", "~", "2026-02-30", "- a", "a: b", "#", "{", "]", "'", '"', "\\",
                        "*", "&a", "!t", "=", "<<", "...", "---", "\n", "\t", "\x85", "\u2028", "010", "+1", ".")))
VALUE = st.recursive(SCALAR, lambda inner: st.one_of(
    st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)), max_leaves=8)
NAME = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
CRON_FIELD = st.from_regex(r"[0-9*,/LW#-]{1,6}", fullmatch=True).filter(lambda field: not field.startswith("#"))
TRIGGER = st.one_of(
    st.lists(CRON_FIELD, min_size=5, max_size=5).map(lambda fields: {"cron": " ".join(fields)}),
    st.sampled_from(("@daily", "@reboot")).map(lambda word: {"cron": word}),
    st.tuples(st.sampled_from(TRIGGERS[1:]), st.one_of(NAME, st.integers(1, 9999))).map(lambda pair: dict([pair])))
OPTIONS = st.dictionaries(st.sampled_from([key for key in ProcessConfig.model_fields if key not in TRIGGERS]),
                          VALUE.filter(lambda value: value is not None), max_size=5)
PROCESSES = st.dictionaries(NAME, st.tuples(TRIGGER, OPTIONS).map(lambda pair: pair[0] | pair[1]), max_size=4)


@given(PROCESSES)
def test_what_is_shown_is_what_is_read_back(processes: dict[str, dict[str, Any]]) -> None:
    assert from_view(to_view(processes)) == processes


@given(PROCESSES)
def test_showing_it_again_changes_no_letter(processes: dict[str, dict[str, Any]]) -> None:
    view = to_view(processes)
    assert to_view(from_view(view)) == view


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    try:
        said = to_view(from_view(text))
    except ViewError as error:
        said = str(error)
    assert said.startswith(("line ", HEADER))


def test_the_shipped_schedule_is_shown_as_people_would_write_it() -> None:
    shipped = read_yaml("processes.yaml", (shipped_folder() / "processes.yaml").read_bytes()).values["processes"]
    view = to_view(shipped)
    assert from_view(view) == {name: without_nothing(values) for name, values in shipped.items()}
    lines = [line for line in view.splitlines() if line and not line.startswith("#")]
    assert lines[0].split() == ["0", "6", "*", "*", "1-5", "update_fx_prices", "timeout=PT15M", "max_attempts=3",
                                "needs_broker=yes", "catchup=latest", "on_lost=retry"]
    assert len({line.index(name) for line, name in zip(lines, shipped, strict=True)}) == 1, "names line up"


def test_every_kind_of_trigger_has_its_word() -> None:
    view = to_view({
        "a": {"every": "PT5M", "timeout": "PT1M"}, "b": {"after_finish": 60, "timeout": "PT1M"},
        "c": {"on_success_of": "a", "timeout": "PT1M", "enabled": False},
        "d": {"cron": "@daily", "window": {"start": "20:00", "stop": "23:50"}, "after": ["a", "b"]}})
    assert view.partition("\n\n")[2] == (
        "@every PT5M       a  timeout=PT1M\n"
        "@after_finish 60  b  timeout=PT1M\n"
        "@on_success_of a  c  timeout=PT1M enabled=no\n"
        "@daily            d  window={start: 20:00, stop: 23:50} after=[a, b]\n")


def test_people_may_write_it_in_their_own_way() -> None:
    assert from_view('  0   6\t* * 1-5   a   after=[b,c]  window={start: "20:00", stop: "23:50"} enabled=no\r\n') == {
        "a": {"cron": "0 6 * * 1-5", "after": ["b", "c"], "window": {"start": "20:00", "stop": "23:50"},
              "enabled": False}}


MISTAKES = (
    ("0 6 * *", "line 1, column 8: a cron expression has five fields, then comes the process; the line ends after 4."),
    ("0 6 * * 1-5", "line 1, column 12: the process is missing; a line is: when, process, options."),
    ("0 6 * * 1-5 a tmeout=1", "line 1, column 15: unknown option tmeout (did you mean timeout?)."),
    ("0 6 * * 1-5 a timeout=1 timeout=2", "line 1, column 25: timeout stands here twice. Keep one of them."),
    ("0 6 * * 1-5 a cron=x", "line 1, column 15: cron says when it runs; that stands at the start of the line."),
    ("0 6 * * 1-5 a after=[b", "line 1, column 21: ] is missing at the end."),
    ('0 6 * * 1-5 a job="b', 'line 1, column 19: " is missing at the end.'),
    ("0 6 * * 1-5 a after=[b]]", "line 1, column 24: after=[b]] is no value"),
    ("0 6 * * 1-5 a x", "line 1, column 15: x is no option; write key=value."),
    ("0 6 * * 1-5 a timeout=1 # why", "line 1, column 25: # is no option; comments live in processes.yaml."),
    ("@every", "line 1, column 7: @every needs a value, for example @every PT5M."),
    ("@on_success_of", "line 1, column 15: @on_success_of needs a value, for example @on_success_of NAME."),
    ("* * * * * 1-5 a", "line 1, column 11: 1-5 is no name of a process (letters, digits and _)."),
    ("@daily a\n\n# b\n@daily a", "line 4, column 8: a stands here twice (first in line 1). Keep one of them."),
)


@pytest.mark.parametrize(("text", "expected"), MISTAKES)
def test_a_mistake_names_line_and_column(text: str, expected: str) -> None:
    with pytest.raises(ViewError) as refusal:
        from_view(text)
    first, shown, caret = str(refusal.value).splitlines()
    assert first.startswith(expected.replace("after=[b]] is no value", "[b]] is no value"))
    column = int(first.partition("column ")[2].partition(":")[0])
    assert caret.index("^") - shown.index("| ") - 1 == column


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ViewError) as refusal:
        from_view("@every\n0 6 * * * good timeout=1\n0 6 * * * bad timeuot=1\n")
    assert [line.partition(":")[0] for line in str(refusal.value).splitlines() if line.startswith("line")] == [
        "line 1, column 7", "line 3, column 15"]


def test_each_key_knows_where_it_stands() -> None:
    line = read_view("\n0 6 * * 1-5  a  timeout=PT1M")["a"]
    assert (line.number, line.columns["cron"], line.columns["process"], line.columns["timeout"]) == (2, 1, 14, 17)
    assert line.mistake("timeout", "too short.").startswith("line 2, column 17: timeout: too short.\n    2 | 0 6")
