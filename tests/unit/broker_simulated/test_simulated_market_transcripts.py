"""Golden transcripts of five real clients: what they ask is read, and our answers have as many fields as theirs."""

from pathlib import Path

import pytest
from simulated_messages import a_contract, depth, historical, place_order, real_time_bars, tick_by_tick
from simulated_record import ACCOUNT, later
from simulated_stage import Stage
from test_simulated_transcripts import FOLDER, conversation

from trading.broker.simulated.request_parser import parse

shared = [pytest.mark.shared, pytest.mark.skipif(not FOLDER.exists(), reason="no reference beside the checkout")]
AGREED = [("157", 157), ("178", 176), ("178", 178), ("200", 200)]
FIXED = {"1", "2", "4", "6", "7", "8", "9", "10", "12", "13", "15", "46", "49", "50", "52", "53", "54", "55", "57",
         "58", "61", "62", "63", "64", "72", "73", "74", "81", "88", "90", "94", "95", "99", "102", "108", "109"}
OUR_COUNTS = {
    157: {"4": {5}, "10": {39}}, 176: {"4": {6}, "10": {40}}, 178: {"4": {6}, "10": {40}},
    200: {"4": {6}, "10": {42}, "108": {4}, "109": {2}}}
SAME_EVERYWHERE = {"1": {7}, "2": {5}, "6": {6}, "7": {20}, "8": {3}, "12": {8}, "13": {10}, "46": {5}, "49": {3},
                   "50": {11}, "57": {3}, "58": {4}, "61": {16}, "63": {7}, "64": {3}, "73": {8}, "74": {3}, "81": {5},
                   "88": {3}, "90": {10}, "94": {5}, "95": {7}, "99": {9}}


def heard_at(stage: Stage, version: int) -> dict[str, set[int]]:
    """Message ids and field counts of a tour of everything that streams or answers."""
    client = stage.a_client(version=version)
    es = a_contract()
    asked = [
        ["9", "8", "1", *es, "0", "", "", *([""] if version >= 176 else [])], ["49", "1"], ["105"], ["61", "1"],
        ["6", "2", "1", ""], ["62", "1", "2", "All", "NetLiquidation"], ["76", "1", "3", ACCOUNT, "", "0"],
        ["92", "4", ACCOUNT, ""], ["94", "5", ACCOUNT, "", "77"], ["2", "2", "99"], depth(6, es, 1),
        depth(7, es, 1, smart="1"), real_time_bars(8, es), tick_by_tick(9, es, "BidAsk"),
        ["1", "11", "10", *es, "0", "", "0", "0", ""], ["1", "11", "11", *es, "0", "", "1", "0", ""],
        historical(12, es, size="1 hour", duration="1 D", keep="1"), ["87", "13", *es, "0", "1", "TRADES", "1"],
        place_order(1, contract=es, version=version)]
    heard = [message for fields in asked for message in stage.ask(client, fields)]
    for minutes in (1, 10):
        stage.move_to(later(minutes))
        heard += client.take_outbox()
    counts: dict[str, set[int]] = {}
    for message in (*heard, *stage.ask(client, ["61", "1"])):
        counts.setdefault(message[0], set()).add(len(message))
    return counts


@pytest.mark.parametrize("version", [157, 176, 178, 200])
def test_our_messages_have_the_counts_that_clients_expect(tmp_path: Path, version: int) -> None:
    heard = heard_at(Stage(tmp_path / "state"), version)
    for message, count in {**SAME_EVERYWHERE, **OUR_COUNTS[version]}.items():
        assert (message, heard.get(message)) == (message, count)


@pytest.mark.parametrize(("name", "version"), AGREED)
class TestAgainstTranscripts:
    """The same, by what real clients got."""

    pytestmark = shared

    def test_every_message_has_a_count_of_the_transcript(self, tmp_path: Path, name: str, version: int) -> None:
        theirs: dict[str, set[int]] = {}
        for agreed, is_ours, fields in conversation(name):
            if agreed == version and not is_ours:
                theirs.setdefault(fields[0], set()).add(len(fields) - 1)
        heard = heard_at(Stage(tmp_path / "other"), version)
        compared = FIXED & theirs.keys() & heard.keys()
        assert len(compared) >= 15
        assert {message for message in compared if not heard[message] <= theirs[message]} == set()

    def test_every_request_is_read_to_its_end(self, name: str, version: int) -> None:
        requests = [fields for agreed, is_ours, fields in conversation(name) if is_ours and agreed == version]
        assert len(requests) > 10
        for fields in requests:
            parse(fields, version)
