"""What counts as gone wrong in a case. Needs no client, so it runs with all other tests."""

import json

from client_table import CLIENTS
from report import CaseReport, report_of, unexpected


def a_report(case: str = "c03_market_order", problems: tuple[str, ...] = (), *codes: int) -> CaseReport:
    events = [{"name": "error", "args": [7.0, float(code), "text"]} for code in codes]
    return report_of(json.dumps({"case": case, "facts": {}, "events": events, "problems": problems}))


def test_a_quiet_case_has_nothing_wrong() -> None:
    assert unexpected(a_report(), ()) == []


def test_the_notices_of_farms_are_no_errors() -> None:
    assert unexpected(a_report("c01_connect", (), 2104, 2106, 2158), ()) == []


def test_an_error_that_the_case_does_not_expect_is_a_problem() -> None:
    assert unexpected(a_report("c04", (), 202, 321), (202,)) == ["error 321"]


def test_what_a_library_complained_of_is_a_problem() -> None:
    assert unexpected(a_report(problems=("ib_async.decoder logged Error handling fields",)), ()) == [
        "ib_async.decoder logged Error handling fields"]


def test_a_refused_second_connection_may_complain_of_that_only() -> None:
    refused = "ib_async.client logged Peer closed connection. clientId 8 already in use?"
    assert unexpected(a_report("c07_client_id_in_use", (refused, "a thread ended with KeyError(1)")), ()) == [
        "a thread ended with KeyError(1)"]
    assert unexpected(a_report("c03_market_order", (refused,)), ()) == [refused]


def test_repeated_statuses_are_told_once() -> None:
    rows = [[4.0, status] for status in ("PreSubmitted", "Filled", "Filled")] + [[5.0, "Cancelled"]]
    report = CaseReport(case="c03", facts={}, problems=(),
                        events=tuple({"name": "orderStatus", "args": row} for row in rows))
    assert report.statuses(4) == ["PreSubmitted", "Filled"]


def test_every_client_has_a_name_of_its_own() -> None:
    names = [client.name for client in CLIENTS]
    assert len(set(names)) == len(names) == 6
