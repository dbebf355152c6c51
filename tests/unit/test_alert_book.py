"""When people are told and when they are left in peace: told by example, then promised for every course of events."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from daemon.alerts import alert_book
from daemon.alerts.alert_book import Rules
from trading.control.alert import (
    DEFAULT_SEVERITY,
    Alert,
    AlertKind,
    AlertState,
    Audience,
    Message,
    Reason,
    Severity,
)

START = datetime(2026, 3, 2, 20, tzinfo=UTC)
RULES = Rules()
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def an_alert(at: datetime = START, text: str = "It ended with exit code 1.", kind: AlertKind = AlertKind.FAILED,
             severity: Severity | None = None) -> Alert:
    return Alert(kind=kind, subject="run_systems", text=text, at=at, severity=severity or DEFAULT_SEVERITY[kind])


def reasons(messages: tuple[Message, ...]) -> list[Reason]:
    return [message.reason for message in messages]


def told_state(kind: AlertKind = AlertKind.FAILED) -> AlertState:
    """An alert that was raised and told at START."""
    return alert_book.raised(None, an_alert(kind=kind), RULES)[0]


def test_a_new_alert_is_told_at_once() -> None:
    state, messages = alert_book.raised(None, an_alert(), RULES)
    assert reasons(messages) == [Reason.NEW]
    assert state.outbox == messages
    assert state.told is not None
    assert state.told.at == START


def test_an_alert_that_goes_on_is_not_told_again() -> None:
    state, messages = alert_book.raised(told_state(), an_alert(START + HOUR), RULES)
    assert messages == ()
    assert state.count == 2


def test_an_open_alert_is_repeated_after_four_hours() -> None:
    early = alert_book.due_again(told_state(), START + 4 * HOUR - MINUTE, RULES)[1]
    late = alert_book.due_again(told_state(), START + 4 * HOUR, RULES)[1]
    assert (reasons(early), reasons(late)) == ([], [Reason.REPEATED])


def test_what_merely_informs_is_not_repeated() -> None:
    state = told_state(AlertKind.LEADER_CHANGED)
    assert alert_book.due_again(state, START + 100 * HOUR, RULES)[1] == ()


def test_another_text_is_told_at_once() -> None:
    _, messages = alert_book.raised(told_state(), an_alert(START + MINUTE, "It was killed."), RULES)
    assert reasons(messages) == [Reason.CHANGED]
    assert messages[0].text == "It was killed."


def test_a_text_that_changes_all_the_time_is_told_once_in_quiet_with_the_newest_text() -> None:
    # given texts that change every ten seconds for five minutes
    state, told = told_state(), []
    for step in range(1, 31):
        state, messages = alert_book.raised(state, an_alert(START + step * timedelta(seconds=10), f"{step}"), RULES)
        told += messages

    # when the alert is looked at later
    state, last = alert_book.due_again(state, START + 6 * MINUTE, RULES)

    # then
    assert [message.text for message in told] == ["1"]
    assert [message.text for message in last] == ["30"]


def test_what_becomes_critical_is_told_at_once_although_a_change_was_told_just_now() -> None:
    state, _ = alert_book.raised(told_state(), an_alert(START + MINUTE, "a"), RULES)
    worse = an_alert(START + MINUTE, "b", severity=Severity.CRITICAL)
    assert reasons(alert_book.raised(state, worse, RULES)[1]) == [Reason.CHANGED]


def test_the_end_of_an_alert_is_told() -> None:
    state, messages = alert_book.over(told_state(), START + HOUR, RULES)
    assert reasons(messages) == [Reason.RECOVERED]
    assert not state.open


def test_the_end_of_what_is_over_changes_nothing() -> None:
    state, _ = alert_book.over(told_state(), START + HOUR, RULES)
    assert alert_book.over(state, START + 2 * HOUR, RULES) == (state, ())


def test_an_end_within_quiet_is_told_when_quiet_has_passed() -> None:
    state, at_once = alert_book.over(told_state(), START + MINUTE, RULES)
    _, later = alert_book.due_again(state, START + 5 * MINUTE, RULES)
    assert (reasons(at_once), reasons(later)) == ([], [Reason.RECOVERED])


def test_an_alert_that_comes_and_goes_says_afterwards_how_often() -> None:
    # given one that begins at 20:00 and once more in each of the four following minutes
    state = told_state()
    for minute in range(1, 5):
        state, ended = alert_book.over(state, START + minute * MINUTE - timedelta(seconds=30), RULES)
        state, begun = alert_book.raised(state, an_alert(START + minute * MINUTE), RULES)
        assert ended + begun == ()

    # when quiet has passed
    _, messages = alert_book.due_again(state, START + 5 * MINUTE, RULES)

    # then
    assert [(message.reason, message.times) for message in messages] == [(Reason.AGAIN, 4)]


def test_what_began_and_ended_within_quiet_is_told_afterwards() -> None:
    # given an alert whose end was told at 21:00
    state, _ = alert_book.over(told_state(), START + HOUR, RULES)

    # when it happens once more for half a minute at 21:01
    state, begun = alert_book.raised(state, an_alert(START + HOUR + MINUTE), RULES)
    state, ended = alert_book.over(state, START + HOUR + 1.5 * MINUTE, RULES)
    _, later = alert_book.due_again(state, START + HOUR + 5 * MINUTE, RULES)

    # then
    assert begun + ended == ()
    assert [(message.reason, message.times) for message in later] == [(Reason.RECOVERED, 1)]


def test_an_alert_that_returns_after_quiet_is_a_new_occurrence() -> None:
    ended, _ = alert_book.over(told_state(), START + HOUR, RULES)
    again, messages = alert_book.raised(ended, an_alert(START + 2 * HOUR), RULES)
    assert reasons(messages) == [Reason.NEW]
    assert (again.first_at, again.count, again.version) == (START + 2 * HOUR, 1, ended.version)


def test_an_acknowledged_alert_is_silent() -> None:
    state = alert_book.acknowledged(told_state(AlertKind.LOST), "ann", "looking", START + MINUTE)
    state, raised = alert_book.raised(state, an_alert(START + HOUR, kind=AlertKind.LOST), RULES)
    assert raised + alert_book.due_again(state, START + 100 * HOUR, RULES)[1] == ()


def test_an_acknowledged_alert_that_changes_is_told_and_asks_for_a_new_acknowledgement() -> None:
    state = alert_book.acknowledged(told_state(), "ann", "looking", START + MINUTE)
    state, messages = alert_book.raised(state, an_alert(START + HOUR, "It was killed."), RULES)
    assert reasons(messages) == [Reason.CHANGED]
    assert not state.acknowledged


def test_an_acknowledged_alert_that_is_over_and_comes_back_is_told() -> None:
    state = alert_book.acknowledged(told_state(), "ann", "looking", START + MINUTE)
    state, _ = alert_book.over(state, START + HOUR, RULES)
    state, messages = alert_book.raised(state, an_alert(START + 2 * HOUR), RULES)
    assert reasons(messages) == [Reason.NEW]
    assert not state.acknowledged


def test_a_moment_is_done_with_when_it_is_acknowledged() -> None:
    state = alert_book.acknowledged(told_state(AlertKind.CLOCK_JUMPED), "ann", "known", START + MINUTE)
    assert not state.open
    assert alert_book.due_again(state, START + 10 * HOUR, RULES)[1] == ()


def test_what_somebody_puts_away_is_over_without_a_message() -> None:
    state = alert_book.put_away(told_state(AlertKind.LOST), "ann", "no such process any more", START + MINUTE)
    assert not state.open
    assert alert_book.due_again(state, START + 10 * HOUR, RULES)[1] == ()


def test_what_was_put_away_is_told_when_it_happens_again() -> None:
    state = alert_book.put_away(told_state(AlertKind.LOST), "ann", "", START + MINUTE)
    assert reasons(alert_book.raised(state, an_alert(START + HOUR, kind=AlertKind.LOST), RULES)[1]) == [Reason.NEW]


def test_a_moment_that_happens_again_is_told_again() -> None:
    alert = an_alert(START + HOUR, kind=AlertKind.LEADER_CHANGED)
    assert reasons(alert_book.raised(told_state(AlertKind.LEADER_CHANGED), alert, RULES)[1]) == [Reason.AGAIN]


def test_a_critical_alert_is_escalated_every_quarter_of_an_hour_until_acknowledged() -> None:
    state, escalated = told_state(AlertKind.LOST), []
    for minute in range(1, 46):
        state, messages = alert_book.due_again(state, START + minute * MINUTE, RULES)
        escalated += [(minute, message.audience) for message in messages]
    assert escalated == [(15, Audience.ESCALATION), (30, Audience.ESCALATION), (45, Audience.ESCALATION)]


def test_a_critical_alert_that_flaps_is_escalated_as_well() -> None:
    # given one that is over for ten seconds in every minute
    state, escalated = told_state(AlertKind.LOST), []
    for minute in range(1, 17):
        state, ended = alert_book.over(state, START + minute * MINUTE - timedelta(seconds=10), RULES)
        state, begun = alert_book.raised(state, an_alert(START + minute * MINUTE, kind=AlertKind.LOST), RULES)
        escalated += [message for message in ended + begun if message.reason is Reason.ESCALATED]
    assert len(escalated) == 1


def test_those_who_were_called_in_addition_hear_of_the_end() -> None:
    state, _ = alert_book.due_again(told_state(AlertKind.LOST), START + 15 * MINUTE, RULES)
    _, messages = alert_book.over(state, START + HOUR, RULES)
    assert {(message.reason, message.audience) for message in messages} == {
        (Reason.RECOVERED, Audience.USUAL), (Reason.RECOVERED, Audience.ESCALATION)}


def test_nothing_is_escalated_where_nobody_is_to_be_called() -> None:
    rules = replace(RULES, escalate_after=None)
    assert alert_book.due_again(told_state(AlertKind.LOST), START + HOUR, rules)[1] == ()


def test_a_clock_that_was_set_back_keeps_nobody_silent() -> None:
    state, _ = alert_book.over(told_state(), START + HOUR, RULES)
    assert reasons(alert_book.raised(state, an_alert(START - 24 * HOUR), RULES)[1]) == [Reason.NEW]


def test_a_delivered_message_leaves_the_outbox() -> None:
    state = told_state()
    assert alert_book.delivered(state, state.outbox[0].id).outbox == ()


def test_two_memories_are_reconciled_to_the_newest_facts_and_all_messages() -> None:
    # given a store in which the alert is open, and a memory in which it ended later
    stored = replace(told_state(), version=7)
    mine, _ = alert_book.over(replace(stored, version=5), START + HOUR, RULES)

    # when
    both = alert_book.reconciled(stored, mine)

    # then
    assert (both.open, both.version, both.messages) == (False, 7, 2)
    assert reasons(both.outbox) == [Reason.NEW, Reason.RECOVERED]


def test_an_acknowledgement_survives_the_reconciliation() -> None:
    state = told_state()
    seen = alert_book.acknowledged(state, "ann", "looking", START + MINUTE)
    noticed, _ = alert_book.raised(state, an_alert(START + HOUR), RULES)
    assert alert_book.reconciled(seen, noticed).acknowledged_by == "ann"
    assert alert_book.reconciled(noticed, seen).acknowledged_by == "ann"


EVENTS = st.lists(st.tuples(
    st.sampled_from(["raise", "raise other", "raise critical", "over", "look", "acknowledge"]),
    st.integers(min_value=1, max_value=7200)), min_size=1, max_size=40)

FLAPPING = st.lists(st.tuples(st.sampled_from(["raise", "over", "look"]), st.integers(min_value=1, max_value=400)),
                    min_size=1, max_size=60)

TEXTS = {"raise": ("a", Severity.WARNING), "raise other": ("b", Severity.WARNING),
         "raise critical": ("a", Severity.CRITICAL)}


class Course:
    """A course of events, looked at before each of them, and all that was told in it."""

    def __init__(self, events: list[tuple[str, int]]) -> None:
        self.state: AlertState | None = None
        self.now = START
        self.messages: list[Message] = []
        self.began = 0
        for event, wait_s in events:
            self._wait(wait_s)
            self._happens(event)

    def _happens(self, event: str) -> None:
        if event in TEXTS:
            text, severity = TEXTS[event]
            self.began += self.state is None or not self.state.open
            alert = an_alert(self.now, text, severity=severity)
            self._take(alert_book.raised(self.state, alert, RULES))
        elif self.state is not None and event == "over":
            self._take(alert_book.over(self.state, self.now, RULES))
        elif self.state is not None and event == "acknowledge" and self.state.open:
            self.began -= self.state.untold  # whoever acknowledges has seen them
            self.state = alert_book.acknowledged(self.state, "ann", "", self.now)

    def _wait(self, wait_s: int) -> None:
        self.now += timedelta(seconds=wait_s)
        if self.state is not None:
            self._take(alert_book.due_again(self.state, self.now, RULES))

    def _take(self, outcome: tuple[AlertState, tuple[Message, ...]]) -> None:
        before = self.state
        self.state = outcome[0]
        self.messages += outcome[1]
        if before is not None and before.acknowledged and self.state.acknowledged:
            assert all(message.reason is Reason.RECOVERED for message in outcome[1])

    def settle(self) -> None:
        self._wait(int(RULES.quiet.total_seconds()))

    def usual(self) -> list[Message]:
        return [message for message in self.messages if message.audience is Audience.USUAL]


@given(FLAPPING)
def test_an_alert_that_only_comes_and_goes_sends_one_message_in_quiet(events: list[tuple[str, int]]) -> None:
    moments = [message.at for message in Course(events).usual()]
    assert all(later - earlier >= RULES.quiet for earlier, later in pairwise(moments))


@given(EVENTS)
def test_no_course_of_events_sends_more_than_four_messages_in_quiet(events: list[tuple[str, int]]) -> None:
    # one for coming and going, one for a change, two for growing worse
    moments = [message.at for message in Course(events).usual()]
    for start in moments:
        assert len([at for at in moments if start <= at < start + RULES.quiet]) <= 4


@given(EVENTS)
def test_people_know_in_the_end_how_things_stand(events: list[tuple[str, int]]) -> None:
    course = Course(events)
    course.settle()
    state = course.state
    if state is not None:
        assert state.told is not None
        assert state.told.open == state.open
        assert not state.open or (state.told.text, state.told.severity) == (state.text, state.severity)


@given(EVENTS)
def test_every_beginning_is_counted_in_some_message(events: list[tuple[str, int]]) -> None:
    course = Course(events)
    course.settle()
    assert sum(message.times for message in course.usual()) == course.began


@given(EVENTS)
def test_only_what_is_critical_and_unacknowledged_is_escalated_and_not_too_often(
        events: list[tuple[str, int]]) -> None:
    course = Course(events)
    escalated = [message for message in course.messages if message.reason is Reason.ESCALATED]
    assert all(message.severity is Severity.CRITICAL for message in escalated)
    assert all(message.at - message.since >= RULES.escalate_after for message in escalated)
    assert all(b.at - a.at >= RULES.escalate_after for a, b in pairwise(escalated))


@given(EVENTS)
def test_those_who_were_called_learn_that_it_is_over(events: list[tuple[str, int]]) -> None:
    course = Course(events)
    course.settle()
    called = [message.reason for message in course.messages if message.audience is Audience.ESCALATION]
    if called and course.state is not None and not course.state.open:
        assert called[-1] is Reason.RECOVERED


@given(EVENTS)
def test_no_two_messages_share_an_identity(events: list[tuple[str, int]]) -> None:
    identities = [message.id for message in Course(events).messages]
    assert len(set(identities)) == len(identities)
