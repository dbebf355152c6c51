"""What an event looks like in the journal: fields to query by, and a form that no value can break out of."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.journal import connected_to_journal, encoded, entry

EVENT = {"event": "run_lost", "level": "error", "timestamp": "2026-03-02T21:30:00Z", "process": "run_systems",
         "run": "run_systems@2026-03-02T21:30:00Z#1", "attempt": 1}


def decoded(datagram: bytes) -> dict[str, str]:
    """As the journal reads it (systemd.io/JOURNAL_NATIVE_PROTOCOL)."""
    fields, rest = {}, datagram
    while rest:
        line, _, behind = rest.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            size = struct.unpack("<Q", behind[:8])[0]
            value, behind = behind[8:8 + size], behind[8 + size + 1:]
        fields[name.decode()], rest = value.decode(), behind
    return fields


def test_an_event_is_an_entry_that_can_be_found_by_process_and_run() -> None:
    assert entry(EVENT) == {
        "MESSAGE": "run_lost process=run_systems run=run_systems@2026-03-02T21:30:00Z#1 attempt=1", "PRIORITY": "3",
        "SYSLOG_IDENTIFIER": "tradingd", "TRADINGD_EVENT": "run_lost", "TRADINGD_PROCESS": "run_systems",
        "TRADINGD_RUN": "run_systems@2026-03-02T21:30:00Z#1"}


@pytest.mark.parametrize(("level", "priority"), [("critical", "2"), ("error", "3"), ("warning", "4"), ("info", "6"),
                                                 ("debug", "7")])
def test_a_level_is_a_priority_of_syslog(level: str, priority: str) -> None:
    assert entry({"event": "x", "level": level})["PRIORITY"] == priority


def test_a_slot_is_a_field_of_its_own() -> None:
    assert entry({"event": "missed", "level": "warning", "slot": "2026-03-02T21:30:00Z"})["TRADINGD_SLOT"] == \
        "2026-03-02T21:30:00Z"


def test_the_trace_of_a_bug_stands_below_its_line() -> None:
    found = entry({"event": "bug", "level": "error", "exception": "Traceback ...\nKeyError: 'x'"})
    assert found["MESSAGE"] == "bug\nTraceback ...\nKeyError: 'x'"


def test_what_is_one_line_is_written_plainly() -> None:
    assert encoded({"MESSAGE": "all well", "PRIORITY": "6"}) == b"MESSAGE=all well\nPRIORITY=6\n"


def test_a_value_with_line_breaks_cannot_pretend_to_be_a_field() -> None:
    datagram = encoded({"MESSAGE": "x\nPRIORITY=0", "PRIORITY": "6"})
    assert datagram == b"MESSAGE\n" + struct.pack("<Q", 12) + b"x\nPRIORITY=0\nPRIORITY=6\n"


@given(st.dictionaries(st.from_regex(r"[A-Z][A-Z_]{0,20}", fullmatch=True), st.text(
    st.characters(exclude_categories=("Cs",))), min_size=1))
def test_whatever_stands_in_an_entry_is_read_back(fields: dict[str, str]) -> None:
    assert decoded(encoded(fields)) == fields


@pytest.mark.parametrize("stream", [None, "", "nonsense", "1:2"])
def test_another_stream_than_the_named_one_is_not_the_journal(stream: str | None) -> None:
    assert not connected_to_journal(stream)
