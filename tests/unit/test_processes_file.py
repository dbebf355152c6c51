"""processes.yaml after an edit of the view: it says what the view says, and the rest is as it was, to the letter."""

import difflib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.configuration.crontab_view import to_view
from daemon.configuration.processes_file import NotEditable, apply_view, processes_in
from trading.errors import ConfigError
from trading.shipped import shipped_folder

SHIPPED = (shipped_folder() / "processes.yaml").read_text()
OWN = """\
# the desk's own schedule
resources: {ib: 2}
processes:

  # prices first
  prices:            # three retries
    cron: "0 20 * * 1-5"
    timeout:   PT1H  # the feed is slow
    after:
    - contracts
    max_attempts: 3

  # contracts before them
  contracts:
    cron: '0 7 * * 1-5'
    timeout: PT30M

calendars:
  mine: {holidays: mine.txt}  # kept by hand
"""


def edited(text: str, shipped: str = "", **changes: dict[str, Any] | None) -> str:
    """`text` after somebody edits processes in the view; None removes one."""
    wanted = processes_in(text, shipped) | changes
    return apply_view(text, to_view({name: values for name, values in wanted.items() if values is not None}), shipped)


def difference(old: str, new: str) -> list[str]:
    return [line for line in difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0)
            if not line.startswith(("---", "+++", "@@"))]


@pytest.mark.parametrize("text", [OWN, SHIPPED, "", "# only words\n", "processes:\n", "resources: {a: 1}\n"])
def test_an_edit_that_changes_nothing_changes_no_letter(text: str) -> None:
    changed = edited(text)
    assert changed == text or changed == text + "processes:\n" or text == "processes:\n"
    assert processes_in(changed) == processes_in(text)


def test_a_changed_value_changes_its_line_and_keeps_its_comment() -> None:
    new = edited(OWN, prices=processes_in(OWN)["prices"] | {"timeout": "PT2H"})
    assert "timeout: PT2H" in new
    assert "# the feed is slow" in new
    others = [line for line in difference(OWN, new) if "timeout" not in line]
    assert others == ["-    - contracts", "+      - contracts"], "a list is written in one way"


def test_another_process_is_not_touched() -> None:
    new = edited(OWN, contracts=processes_in(OWN)["contracts"] | {"cron": "0 8 * * 1-5"})
    assert difference(OWN, new) == ["-    cron: '0 7 * * 1-5'", '+    cron: "0 8 * * 1-5"']


def test_a_removed_process_takes_only_its_own_comment_along() -> None:
    new = edited(OWN, prices=None)
    assert "# prices first" not in new
    assert "# contracts before them\n  contracts:\n" in new
    assert processes_in(new) == {"contracts": processes_in(OWN)["contracts"]}


def test_a_new_process_stands_behind_the_others() -> None:
    new = edited(OWN, mine={"every": "PT5M", "timeout": "PT1M", "window": {"start": "20:00", "stop": "23:50"}})
    assert difference(OWN, new) == [
        "+  mine:", "+    every: PT5M", "+    timeout: PT1M", '+    window: {start: "20:00", stop: "23:50"}']
    assert new.index("  mine:") < new.index("calendars:")


def test_over_shipped_defaults_only_what_differs_is_written() -> None:
    values = processes_in("", SHIPPED)["run_systems"] | {"timeout": "PT2H"}
    assert edited("", SHIPPED, run_systems=values) == "processes:\n  run_systems:\n    timeout: PT2H\n"


def test_another_trigger_takes_the_shipped_one_away() -> None:
    values = {key: value for key, value in processes_in("", SHIPPED)["run_systems"].items() if key != "cron"}
    new = edited("", SHIPPED, run_systems={"every": "PT1H"} | values)
    assert new == "processes:\n  run_systems:\n    every: PT1H\n    cron: null\n"


def test_a_shipped_process_is_taken_away_by_a_null() -> None:
    new = edited("", SHIPPED, run_cleaners=None)
    assert new == "processes:\n  run_cleaners: null\n"
    assert "run_cleaners" not in processes_in(new, SHIPPED)
    assert "run_cleaners" in processes_in(edited(new, SHIPPED, **processes_in("", SHIPPED)), SHIPPED)


def test_one_of_several_shipped_resources_is_taken_away_by_a_null() -> None:
    shipped = "processes:\n  a:\n    cron: '@daily'\n    resources: {ib: 1, disk: 1}\n"
    new = edited("", shipped, a={"cron": "@daily", "resources": {"ib": 1}})
    assert processes_in(new, shipped)["a"]["resources"] == {"ib": 1}


def test_words_that_yaml_would_misread_are_quoted() -> None:
    new = edited("", a={"cron": "0 6 * * *", "calendar": "no", "job": "1", "was": "null"})
    assert processes_in(new)["a"] == {"cron": "0 6 * * *", "calendar": "no", "job": "1", "was": "null"}
    assert 'calendar: "no"' in new


@pytest.mark.parametrize("text", [
    "{processes: {a: {cron: '@daily'}}}\n", "processes: {a: {cron: '@daily'}}\n",
    "processes:\n  a: &a\n    cron: '@daily'\n  b:\n    <<: *a\n"])
def test_what_cannot_be_changed_without_loss_is_refused(text: str) -> None:
    with pytest.raises(NotEditable, match=r"processes\.yaml cannot be changed through the view: "):
        edited(text, b={"cron": "@weekly"})


def test_a_broken_file_is_named() -> None:
    with pytest.raises(ConfigError, match=r"processes\.yaml:2:1: not YAML"):
        edited("processes: [\n")


VALUES = st.fixed_dictionaries(
    {"cron": st.sampled_from(("0 6 * * 1-5", "@daily", "*/5 * * * *")), "timeout": st.sampled_from(("PT1H", 60))},
    optional={"after": st.lists(st.sampled_from(("a", "b", "no", "1", "x y")), max_size=3), "enabled": st.booleans(),
              "resources": st.dictionaries(st.sampled_from(("ib", "disk")), st.integers(1, 3), max_size=2),
              "window": st.just({"start": "20:00", "stop": "23:50"}), "calendar": st.sampled_from(("~", "mine", "on")),
              "arguments": st.dictionaries(st.text(max_size=3), st.text(max_size=5), max_size=2)})
NAMED = st.dictionaries(st.sampled_from(("prices", "contracts", "a", "b_2", "no")), VALUES, max_size=4)


@settings(deadline=None, max_examples=60)
@given(NAMED, NAMED, NAMED)
def test_whatever_is_wanted_over_whatever_is_shipped_is_what_the_file_says(
        shipped: dict[str, Any], first: dict[str, Any], second: dict[str, Any]) -> None:
    # given shipped defaults and a file that somebody has edited before
    defaults = apply_view("", to_view(shipped))
    text = apply_view(OWN, to_view(first), defaults)

    # when it is edited again
    again = apply_view(text, to_view(second), defaults)

    # then it says exactly that, and what lies around the processes is as it was
    assert processes_in(again, defaults) == second
    assert again.startswith(OWN.partition("processes:")[0])
    assert again.endswith(OWN[OWN.index("calendars:"):])
