"""What workers get from the daemon: every message once and in order, shared lines, turns, sentences for nonsense."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from broker_link_scene import BrokerScene
from recorded_gateway import NOON, GatewayProcess

from daemon import broker_service
from daemon.broker_service import Link
from daemon.store import journal_writer
from daemon.turn_queue import Urgency
from trading.broker.facts import ContractDetails
from trading.broker.ib import quote_lines
from trading.broker.link import BrokerLink
from trading.data.mongo.broker_journal import MongoBrokerJournal
from trading.data.mongo.connection import MongoStore
from trading.errors import BrokerError, BrokerUnavailable, NoPermission
from trading.execution.broker_messages import BrokerMessage, MessageKind
from trading.objects.instruments import BrokerInstrument
from trading.unix_socket import DaemonRefused, request

ES = BrokerInstrument(code="SP500", symbol="ES", exchange="CME", currency="USD", multiplier="50")


@pytest.fixture
def scene(tmp_path: Path, gateway: GatewayProcess, store: MongoStore) -> Iterator[BrokerScene]:
    with BrokerScene(tmp_path, gateway, store) as opened:
        yield opened


def contracts(scene: BrokerScene) -> list[ContractDetails]:
    """The two of ES, asked directly, for instruments of the store are not this file's concern."""
    async def asked(service: Any) -> list[ContractDetails]:
        return list(await (await service.library()).contracts(ES))

    return scene.awaited(asked)


def trade_by_hand(scene: BrokerScene, con_id: int, times: int) -> None:
    for number in range(times):
        scene.control.fault("manual_trade", contract=con_id, size=1 if number % 2 else -1)
        scene.link.refresh()  # the broker tells a client of the trades of others only when asked


def followed(link: BrokerLink, after: int, until: int) -> list[BrokerMessage]:
    """Everything behind `after`, asked for until `until` executions have come."""
    heard: list[BrokerMessage] = []
    deadline_s = time.monotonic() + 20
    while sum(message.kind is MessageKind.EXECUTION for message in heard) < until:
        assert time.monotonic() < deadline_s, heard
        heard += link.messages(heard[-1].sequence if heard else after, 5.0)
    return heard


# --- messages ------------------------------------------------------------------------------------------------------

def test_two_workers_hear_every_message_once_and_in_order(scene: BrokerScene) -> None:
    con_id = contracts(scene)[0].con_id
    with ThreadPoolExecutor(2) as workers:
        heard = [workers.submit(followed, scene.link, 0, 20) for _ in range(2)]
        trade_by_hand(scene, con_id, 20)
        first, second = (each.result(30) for each in heard)
    for each in (first, second):
        assert [message.sequence for message in each] == list(range(1, len(each) + 1))
        executions = [message.facts["execution_id"] for message in each if message.kind is MessageKind.EXECUTION]
        assert len(set(executions)) == 20
    shorter = min(len(first), len(second))
    assert first[:shorter] == second[:shorter]


def test_a_worker_that_is_started_again_goes_on_behind_the_last_that_it_had(scene: BrokerScene) -> None:
    con_id = contracts(scene)[0].con_id
    trade_by_hand(scene, con_id, 5)
    before = followed(scene.link, 0, 5)
    trade_by_hand(scene, con_id, 5)
    behind = followed(BrokerLink(scene.socket), before[-1].sequence, 5)
    assert behind[0].sequence == before[-1].sequence + 1


@pytest.mark.parametrize("kept", [2, 5_000])
def test_what_is_told_is_what_is_stored_from_memory_or_not(
        tmp_path: Path, gateway: GatewayProcess, store: MongoStore, kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_writer, "KEPT", kept)  # the others are read from the store
    with BrokerScene(tmp_path, gateway, store) as scene:
        trade_by_hand(scene, contracts(scene)[0].con_id, 3)
        heard = followed(scene.link, 0, 3)
        again = scene.link.messages(0, 0.0)
        assert again[:len(heard)] == heard
        assert again == MongoBrokerJournal(store).after(0)[:len(again)]


def test_nothing_new_is_answered_when_the_wait_is_over(scene: BrokerScene) -> None:
    newest = scene.link.messages(0, 0.0)[-1].sequence
    assert scene.link.messages(newest, 0.2) == []


# --- quotes --------------------------------------------------------------------------------------------------------

def test_two_workers_share_a_line_and_each_gets_the_newest_price(scene: BrokerScene) -> None:
    near = contracts(scene)[0]
    first = scene.link.quotes([near], 0, 5.0)
    while first.quotes[near.con_id].bid is None:
        first = scene.link.quotes([near], first.version, 5.0)
    other = BrokerLink(scene.socket).quotes([near], 0, 5.0)
    assert other.quotes[near.con_id].bid == first.quotes[near.con_id].bid
    assert scene.on_the_loop(lambda service: service._library._lines.count) == 1


def test_the_volume_of_the_day_comes_with_the_time_at_which_it_last_grew(scene: BrokerScene) -> None:
    near = contracts(scene)[0]
    before = scene.link.quote(near).traded
    assert before is not None
    again = scene.link.quote(near).traded
    assert again is not None
    assert again.lots == before.lots == 5
    assert abs(again.changed - before.changed) < timedelta(milliseconds=100)

    # when twenty minutes pass, in which two prices are recorded, and somebody trades a lot
    scene.gateway.set_clock(NOON + timedelta(minutes=20))
    trade_by_hand(scene, near.con_id, 1)
    after, deadline_s = before, time.monotonic() + 10
    while after.lots < 8:
        assert time.monotonic() < deadline_s, after
        after = scene.link.quote(near).traded or before
    assert after.lots == 8
    assert after.changed > before.changed


def test_who_follows_quotes_hears_the_volume_as_well(scene: BrokerScene) -> None:
    near = contracts(scene)[0]
    seen = scene.link.quotes([near], 0, 5.0)
    while seen.quotes.get(near.con_id) is None or (told := seen.quotes[near.con_id].traded) is None:
        seen = scene.link.quotes([near], seen.version, 5.0)
    assert told.lots == 5


def test_a_slow_worker_gets_the_newest_price_and_none_in_between(scene: BrokerScene) -> None:
    near = contracts(scene)[0]
    before = scene.link.quotes([near], 0, 5.0)
    for minutes, expected in ((10, 4340), (20, 4360)):
        scene.gateway.set_clock(NOON + timedelta(minutes=minutes))
        quick = scene.link.quotes([near], 0, 5.0)
        while abs((quick.quotes[near.con_id].bid or 0) - expected) > 1:
            quick = scene.link.quotes([near], 0, 5.0)
    slow = scene.link.quotes([near], before.version, 5.0)
    assert abs((slow.quotes[near.con_id].bid or 0) - 4360) < 1
    assert slow.version >= quick.version


def test_nothing_changed_is_an_answer(scene: BrokerScene) -> None:
    near = contracts(scene)[0]
    seen = scene.link.quotes([near], 0, 5.0)
    while seen.quotes:  # the first ticks of the line
        seen = scene.link.quotes([near], seen.version, 1.0)
    assert scene.link.quotes([near], seen.version, 0.2).quotes == {}


def test_the_lines_of_a_worker_that_died_are_closed(scene: BrokerScene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quote_lines, "LINGER_S", 0.3)
    scene.link.quotes(contracts(scene), 0, 5.0)
    closed = threading.Event()
    for _ in range(100):
        if scene.on_the_loop(lambda service: service._library._lines.count) == 0:
            break
        closed.wait(0.05)
    assert scene.on_the_loop(lambda service: service._library._lines.count) == 0


def test_more_contracts_than_lines_are_refused_in_a_sentence_and_nothing_stays_open(
        scene: BrokerScene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quote_lines, "LINES", 1)
    monkeypatch.setattr(quote_lines, "LINGER_S", 0.1)
    both = contracts(scene)
    with pytest.raises(BrokerError, match="All 1 market-data lines are in use"):
        scene.link.quotes(both, 0, 1.0)
    assert both[1].con_id in scene.link.quotes(both[1:], 0, 5.0).quotes  # the unused line made room


# --- turns ---------------------------------------------------------------------------------------------------------

def test_each_process_takes_turns_of_its_own(scene: BrokerScene, monkeypatch: pytest.MonkeyPatch) -> None:
    askers = []
    turn = scene.service._pacing.turn

    async def noted(urgency: Urgency, asker: str, messages: int) -> None:
        askers.append(asker)
        await turn(urgency, asker, messages)

    monkeypatch.setattr(scene.service._pacing, "turn", noted)
    scene.link.positions()
    words = "import sys; from pathlib import Path; from trading.broker.link import BrokerLink\n" \
            "BrokerLink(Path(sys.argv[1])).positions()"
    with subprocess.Popen([sys.executable, "-c", words, str(scene.socket)]) as other:
        assert other.wait(30) == 0
    assert askers == [str(os.getpid()), str(other.pid)]


# --- the broker behind the gateway ---------------------------------------------------------------------------------

def epoch_of(scene: BrokerScene) -> str:
    return str(scene.on_the_loop(lambda service: service._parts.journal.epoch))


def test_a_broker_that_is_back_is_asked_for_everything_on_a_new_connection(scene: BrokerScene) -> None:
    before = epoch_of(scene)
    scene.control.fault("link_lost", seconds=1)
    scene.wait_for(Link.DEGRADED)
    with pytest.raises(BrokerUnavailable, match="lost its connection to the broker"):
        scene.link.positions()
    scene.wait_for(Link.READY)
    assert epoch_of(scene) != before


def test_a_gateway_that_never_says_that_the_broker_is_back_is_asked_anew(
        tmp_path: Path, gateway: GatewayProcess, store: MongoStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_service, "DEGRADED_AT_MOST_S", 0.5)
    with BrokerScene(tmp_path, gateway, store, heartbeat_s=0.2) as scene:
        before = epoch_of(scene)
        scene.control.fault("link_lost", seconds=0.3)
        scene.wait_for(Link.DEGRADED)
        scene.control.fault("drop", message="error")  # the 1102 is never heard
        scene.wait_for(Link.READY)
        assert epoch_of(scene) != before


# --- nonsense ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("resource", "body", "said"), [
    ("bars", {"con_id": 1, "exchange": "CME", "duration": "30 D"}, "size is wrong: Field required"),
    ("bars", {"con_id": 1, "exchange": "CME", "duration": "forever", "size": "1 day"}, "found 'forever'"),
    ("bars", {"con_id": 1, "exchange": "CME", "duration": "1 D", "size": "7 mins"}, "found '7 mins'"),
    ("quote", {"con_id": "many", "exchange": "CME"}, "con_id is wrong"),
    ("quote", {"con_id": 1, "exchange": "CME", "colour": "red"}, "colour is wrong"),
    ("quotes", {"contracts": [], "after": 0}, "contracts is wrong"),
    ("quotes", {"contracts": [{"con_id": 1, "exchange": "CME"}], "wait_s": 1e9}, "wait_s is wrong"),
    ("messages", {"after": -1}, "after is wrong"),
    ("messages", {"after": 10**9}, "Message 1000000000 has not been stored"),
    ("messages", [1, 2], "the body is wrong"),
    ("fx_bars", {"pair": "EURUSD", "duration": "5 D"}, "There is no currency pair EURUSD"),
    ("orders/none/submit", None, "none"),
])
def test_a_request_that_makes_no_sense_is_refused_in_a_sentence(scene: BrokerScene, resource: str, body: Any,
                                                                said: str) -> None:
    with pytest.raises(DaemonRefused) as refused:
        request(scene.socket, "POST", f"/broker/{resource}", body)
    assert said in str(refused.value)
    assert 400 <= refused.value.status < 500
    assert scene.link.positions() == []  # and it goes on


def test_a_request_that_is_too_large_is_refused(scene: BrokerScene) -> None:
    with pytest.raises(DaemonRefused, match="larger than"):
        request(scene.socket, "POST", "/broker/quotes", {"contracts": ["x" * 5_000_000]})


# --- history -------------------------------------------------------------------------------------------------------

def test_bars_without_permission_are_not_no_bars(tmp_path: Path, store: MongoStore) -> None:
    (tmp_path / "subscription").write_text("NONE")
    gateway = GatewayProcess(tmp_path)
    try:
        with (BrokerScene(tmp_path, gateway, store) as scene,
              pytest.raises(NoPermission, match="Subscribe to its market data")):
            scene.link.bars(contracts(scene)[0], "5 D", "1 day")
    finally:
        gateway.kill()
