"""tradectl at the trading desk: what is shown, what is said, and with which exit code; over a real socket and store."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pymongo import MongoClient
from trading_desk_scene import GOLD, SP, Scene
from trading_terminal import DeskService, Terminal

from trading.clock import SystemClock
from trading.data.mongo.capital import MongoCapital
from trading.data.mongo.commands import MongoCommands
from trading.data.mongo.connection import MongoStore
from trading.data.mongo.controls import MongoKillState, MongoLimits
from trading.data.mongo.prices import MongoAdjustedPrices, MongoMultiplePrices
from trading.data.trading_desk.deed_log import DeedLog
from trading.data.trading_desk.positions import Transfer
from trading.execution.broker_orders import BrokerLifecycle
from trading.execution.locks import Lock, LockCause
from trading.execution.order_states import Flag, Hold, Lifecycle
from trading.objects.capital import Capital
from trading.objects.multiple_prices import MULTIPLE_COLUMNS
from trading.risk.kill_level import KillLevel
from trading.unix_socket import DaemonRefused, request

BECAUSE = ("--reason", "because", "--yes")


@pytest.fixture
def scene(store: MongoStore) -> Scene:
    return Scene(store, now=SystemClock().now())


@pytest.fixture
def terminal(scene: Scene, tmp_path: Path, capfd: pytest.CaptureFixture[str], server: str) -> Iterator[Terminal]:
    found = Terminal(tmp_path, capfd, scene.store.database.name)
    with DeskService(found.state, scene.store, server):
        yield found


def prices_of(scene: Scene, code: str = "SP500") -> None:
    """A hundred days of prices, the last of them today."""
    today = pd.Timestamp(SystemClock().now()).normalize().as_unit("ms")
    index = pd.date_range(end=today, periods=100, freq="D", tz="UTC").as_unit("ms")
    adjusted = pd.Series([5000.0 + 10 * (number % 2) for number in range(100)], index=index)
    MongoAdjustedPrices(scene.store).append(code, adjusted)
    rows = pd.DataFrame({"PRICE": adjusted, "CARRY": adjusted, "FORWARD": adjusted, "PRICE_CONTRACT": "20260600",
                         "CARRY_CONTRACT": "20260900", "FORWARD_CONTRACT": "20260900"}, index=index)
    MongoMultiplePrices(scene.store).append(code, rows[list(MULTIPLE_COLUMNS)])


def test_halting_and_resuming_say_what_was_done(scene: Scene, terminal: Terminal) -> None:
    assert terminal("halt", *BECAUSE) == 0
    assert terminal.out.endswith(
        "K3 halt: in the whole system nothing is sent but FLATTEN orders of an operator; all our working orders are "
        "cancelled. Positions are kept and unmanaged. An operator lowers it, with a reason.\n"
        "The system is at K3_HALT. Lower it: tradectl resume-trading --reason \"...\"\n")
    assert MongoKillState(scene.store).load().level is KillLevel.K3_HALT
    assert terminal("resume-trading", *BECAUSE) == 0
    assert terminal.out.endswith("The system is at K0_NORMAL; it was at K3_HALT.\n")


def test_without_a_reason_nothing_is_asked_and_nothing_done(scene: Scene, terminal: Terminal) -> None:
    assert terminal("halt", "--yes") == 2
    assert terminal.err == 'A reason is missing: add --reason "why". Nothing was changed.\n'
    assert MongoKillState(scene.store).load().version == 0


def test_without_a_terminal_yes_must_be_said(scene: Scene, terminal: Terminal) -> None:
    assert terminal("locks", "set", "SP500", "--reason", "because") == 2
    assert terminal.err.endswith("There is no terminal to ask on; add --yes if that is what you want.\n")
    assert terminal.json("locks") == []


def test_a_dry_run_shows_and_changes_nothing(scene: Scene, terminal: Terminal) -> None:
    scene.holds(5)
    assert terminal("positions", "transfer", "SP500", "s", "t", "2", "--dry-run") == 0
    assert terminal.out == (
        "WHAT        NOW  THEN\n"
        "SP500 of s    5     3\n"
        "SP500 of t    0     2\n"
        "+2 SP500 go from s to t; nothing is traded.\n"
        "Nothing was changed.\n")
    assert scene.books.strategy_positions() == {("s", "SP500"): 5}


def test_the_exit_code_tells_wrong_words_from_a_wrong_moment(scene: Scene, terminal: Terminal) -> None:
    scene.holds(5)
    for words, code in (("locks set NOPE", 2), ("trade buy SP500 2.5 --strategy s", 2),
                        ("trade buy SP500 0 --strategy s", 2), ("trade buy SP500 nan --strategy s", 2),
                        ("trade buy SP500 2 --strategy x", 2), ("positions transfer SP500 s t 9", 4),
                        ("resume-trading --level halt", 4), ("positions balance SP500/20260600 s --price 1", 2),
                        ("limits set position SP500 1.5", 2), ("trade cancel IO-9", 2), ("flatten --code X", 2),
                        ("overrides clear", 2), ("trade approve IO-9", 2)):
        assert terminal(*words.split(), *BECAUSE) == code, terminal.err
        assert "Traceback" not in terminal.err
    assert scene.orders.open_instrument_orders() == []


def test_flattening_takes_two_steps_and_the_code_is_used_up(scene: Scene, terminal: Terminal) -> None:
    # given two positions
    scene.holds(5)
    scene.holds(-2, "t", GOLD)

    # when it is looked at, nothing is done
    assert terminal("flatten", "--reason", "leaving") == 0
    assert "K4 flatten: all our working orders are cancelled" in terminal.out
    assert "2 closing orders are made.\nNothing was changed.\n" in terminal.out
    words = terminal.out.splitlines()[-1]
    code = words.partition("--code ")[2][:6]
    assert words == f'To do it, within ten minutes: tradectl flatten --code {code} --reason "..."'
    assert scene.orders.open_instrument_orders() == []

    # then the code does it, once
    assert terminal("flatten", "--code", code, "--reason", "leaving") == 0
    assert terminal.out == ("The system is at K4_FLATTEN. 2 closing orders are made: -5 SP500, +2 GOLD. "
                            "Watch them: tradectl orders\n")
    assert terminal("flatten", "--code", code, "--reason", "leaving") == 2
    assert terminal.err.startswith(f"{code} is not the code of now. Look first: tradectl flatten;")
    assert len(scene.orders.open_instrument_orders()) == 2


def test_the_larger_risk_is_closed_first(scene: Scene, terminal: Terminal) -> None:
    prices_of(scene)
    prices_of(scene, "GOLD")
    scene.holds(1)
    scene.holds(-9, "t", GOLD)
    shown = terminal.json("flatten")
    assert terminal("flatten", "--code", shown["code"], "--reason", "leaving") == 0
    assert [order.instrument for order in scene.orders.open_instrument_orders()] == ["GOLD", "SP500"]


def test_a_trade_by_hand_is_shown_before_and_after(scene: Scene, terminal: Terminal) -> None:
    scene.holds(5)
    assert terminal("trade", "sell", "SP500", "2", "--strategy", "s", "--contract", SP, "--limit", "5012.25",
                    "--reduce-only", *BECAUSE) == 0
    order, = scene.orders.open_instrument_orders()
    assert terminal.out == (
        "WHAT                     NOW  THEN\n"
        "position of s              5     3\n"
        "position of the account    5     3\n"
        f"-2 SP500 for s, LIMIT in {SP} at 5012.25 or better: it reduces the risk of s and reduces the risk of the "
        f"account.\n"
        f"{order.id}: -2 SP500 for s. Follow it: tradectl story {order.id}\n")
    assert (order.quantity, str(order.limit_price), order.limit_contract, order.contract, order.reduce_only) == (
        -2, "5012.25", SP, SP, True)
    assert terminal("story", order.id) == 0
    assert "Follow it: tradectl story" in terminal.out
    assert "Because: because" in terminal.out


def test_a_fill_by_hand_is_booked_and_taken_back(scene: Scene, terminal: Terminal) -> None:
    order = scene.at_the_broker()
    assert terminal("trade", "fill", order.id, "2", "--price", "5000.25", *BECAUSE) == 0
    fill, = scene.books.fills()
    assert terminal.out.endswith(f"{fill.id}: +2 {SP} at 5000.25.\n")
    assert fill.execution_id.startswith("MANUAL-")
    assert terminal("trade", "take-back", fill.id, *BECAUSE) == 0
    assert scene.books.contract_positions() == {}


def test_orders_are_cancelled_one_by_one_or_all(scene: Scene, terminal: Terminal) -> None:
    scene.an_order(1)
    scene.at_the_broker(2)
    assert terminal("trade", "cancel", "IO-1", *BECAUSE) == 0
    assert terminal.out.endswith("IO-1 is closed.\n")
    assert terminal("trade", "cancel-all", *BECAUSE) == 0
    assert terminal.out.endswith("2-C1-B1 is asked back from the broker.\n")
    assert terminal("trade", "cancel", "IO-1", *BECAUSE) == 4
    assert terminal.err == ("IO-1 is CLOSED already (CANCELLED); nothing is left to cancel. Nothing was changed.\n")


def test_an_order_that_waits_for_a_person_is_let_go(scene: Scene, terminal: Terminal) -> None:
    scene.an_order(1, lifecycle=Lifecycle.CREATED, holds=frozenset({Hold.APPROVAL}))
    scene.an_order(2)
    assert terminal("trade", "approve", "IO-1", *BECAUSE) == 0
    assert terminal.out.endswith("IO-1 is OPEN.\n")
    assert scene.orders.instrument_order("IO-1").holds == frozenset()
    assert terminal("trade", "approve", "IO-2", *BECAUSE) == 4
    assert terminal.err.startswith("IO-2 is OPEN and waits for nothing, not for approval.")


def test_o49_an_order_that_the_gateways_limits_refuse_is_let_go(scene: Scene, terminal: Terminal) -> None:
    # given an order that the gateway has refused, and whose contract order waits
    sent = scene.at_the_broker(1)
    scene.orders.save_broker_order(replace(sent, lifecycle=BrokerLifecycle.REJECTED, perm_id=None, reason="too large",
                                           flags=frozenset({Flag.PRECAUTION})))
    leg, = scene.orders.contract_orders_of("IO-1")
    scene.orders.save_contract_order(replace(leg, holds=frozenset({Hold.APPROVAL}), algo={"style": "BEST"}))
    assert terminal("orders") == 0
    assert "waits for APPROVAL" in terminal.out

    # when a person lets it go, by any id of its family
    assert terminal("trade", "approve", leg.id, *BECAUSE) == 0

    # then its algo begins anew, and it waits no longer
    assert terminal.out.endswith(f"+5 {leg.contract} may be sent again.\n")
    assert "change them there first" in terminal.out
    leg, = scene.orders.contract_orders_of("IO-1")
    assert (leg.holds, leg.algo) == (frozenset(), None)
    assert scene.orders.instrument_order("IO-1").reason.startswith("approved by ")
    assert scene.orders.broker_order(sent.id).flags == {Flag.PRECAUTION, Flag.APPROVED}
    assert terminal("trade", "approve", leg.id, *BECAUSE) == 4


def test_an_order_that_is_none_is_said(terminal: Terminal) -> None:
    assert terminal("orders", "IO-9") == 1
    assert terminal.err == "There is no order IO-9. See: tradectl orders --all\n"


def test_locks_are_set_listed_and_opened(scene: Scene, terminal: Terminal) -> None:
    assert terminal("locks", "set", "SP500", *BECAUSE) == 0
    assert terminal.out.endswith('SP500 is locked. Open it: tradectl locks open SP500 --reason "..."\n')
    row, = terminal.json("locks")
    assert (row["instrument"], row["cause"], row["reason"], row["opens"]) == (
        "SP500", "OPERATOR", "because", "by a person")
    assert terminal("locks", "open", "SP500", *BECAUSE) == 0
    assert terminal("locks") == 0
    assert terminal.out == "Nothing is locked.\n"


def test_a_break_is_not_waved_away(scene: Scene, terminal: Terminal) -> None:
    from trading.data.mongo.locks import MongoInstrumentLocks

    MongoInstrumentLocks(scene.store).lock(Lock(instrument="SP500", cause=LockCause.POSITION_BREAK, subject=SP,
                                                reason="they differ", opened_at=scene.now))
    assert terminal("locks", "open", "SP500", *BECAUSE) == 2
    assert terminal.err == (
        "POSITION_BREAK: that the numbers agree again proves nothing. Say what shows that our books are right: "
        "--evidence \"statement of the broker, 3 March\". Nothing was changed.\n")
    assert terminal("locks", "open", "SP500", "--evidence", "statement 7", *BECAUSE) == 0
    told = scene.store.database.events.find_one({"kind": "unlocked"})
    assert told is not None
    assert told["payload"]["reason"].endswith(": because (evidence: statement 7)")


def test_overrides_are_set_listed_and_cleared(terminal: Terminal) -> None:
    assert terminal("overrides", "set", "close", "--instrument", "SP500", *BECAUSE) == 0
    assert terminal.out.endswith("SP500 of every strategy: close.\n")
    assert terminal("overrides", "set", "0.5", "--strategy", "s", "--instrument", "SP500", *BECAUSE) == 0
    assert "Note: SP500 of every strategy is at close, which is stricter and holds." in terminal.out
    assert [row["override"] for row in terminal.json("overrides")] == ["close", "0.5"]
    assert terminal("overrides", "clear", "--all", *BECAUSE) == 0
    assert terminal("overrides") == 0
    assert terminal.out == "There is no override: strategies trade as they want, within the limits.\n"


def test_limits_are_listed_with_what_is_used_of_them(scene: Scene, terminal: Terminal) -> None:
    scene.holds(-5)
    scene.external(3)
    for words in ("position SP500 10", "trade SP500 4 --days 30", "order SP500 2"):
        assert terminal("limits", "set", *words.split(), *BECAUSE) == 0
    used = {row["kind"]: row["used"] for row in terminal.json("limits")}
    assert used["position"] == 2
    assert used["order"] is None
    assert terminal("limits", "clear", "order", "SP500", *BECAUSE) == 0
    assert len(terminal.json("limits")) == 2


def test_a_limit_below_what_is_held_says_so(scene: Scene, terminal: Terminal) -> None:
    scene.holds(5)
    assert terminal("limits", "set", "position", "SP500", "3", *BECAUSE) == 0
    assert "Note: 5 lots are held, 2 more than that: only reductions pass until it is met." in terminal.out


def test_computed_limits_are_set_where_no_person_has_and_what_is_unknown_stays_unset(
        scene: Scene, terminal: Terminal) -> None:
    # given prices of one instrument, capital, and a limit of a person
    prices_of(scene)
    MongoCapital(scene.store).save("2026-03-02", Capital.opened_with(1_000_000.0))
    assert terminal("limits", "set", "order", "SP500", "1", *BECAUSE) == 0

    # when they are computed and set
    shown = terminal.json("limits", "auto", "--dry-run")
    assert shown["set"] == 0
    assert terminal("limits", "auto", *BECAUSE) == 0

    # then
    by_name = {(row["instrument"], row["kind"], row["days"]): row for row in shown["limits"]}
    assert by_name["GOLD", "position", 0]["why_not"] == "not known: the volatility"
    assert by_name["SP500", "order", 0]["why_not"].endswith(": because")
    stored = {limit.id: limit for limit in MongoLimits(scene.store).all()}
    assert set(stored) == {"position/SP500/*", "trade/SP500/*/1d", "trade/SP500/*/30d", "order/SP500/*",
                           "order/GOLD/*"}
    assert stored["order/SP500/*"].lots == 1
    assert stored["position/SP500/*"].lots == by_name["SP500", "position", 0]["lots"] > 0
    assert stored["position/SP500/*"].is_automatic


def test_what_others_traded_is_assigned_as_the_lock_says(scene: Scene, terminal: Terminal) -> None:
    scene.external(-3)
    assert terminal("positions", "assign", "SP500", "t", *BECAUSE) == 0
    assert terminal.out.endswith("t holds -3 SP500, _EXTERNAL +0.\n")
    assert terminal.json("positions")["strategy"] == [{"strategy": "t", "instrument": "SP500", "quantity": -3}]


def test_a_missed_trade_may_be_at_a_negative_price(scene: Scene, terminal: Terminal) -> None:
    assert terminal("positions", "balance", SP, "s", "--sold", "2", "--price", "-37.25", *BECAUSE) == 0
    assert terminal.out.endswith(f"Our books hold -2 {SP}; s has -2 SP500.\n")
    assert [str(each.price) for each in scene.books.adjustments()] == ["-37.25"]


def test_rolls_are_listed_shown_set_and_explained(scene: Scene, terminal: Terminal) -> None:
    # given a position in front
    prices_of(scene)
    scene.holds(5)

    # then it is shown with what may follow
    row, = terminal.json("rolls")
    assert (row["state"], row["front"], row["front_lots"], row["forward"], row["last_trade"]) == (
        "NO_ROLL", SP, 5, "SP500/20260900", "2026-06-19")
    assert terminal("rolls", "show", "SP500") == 0
    assert "SP500 is NO_ROLL. Only the front contract is traded." in terminal.out
    assert "FORCE_SPREAD" in terminal.out

    # when it is set, then that is explained
    assert terminal("rolls", "set", "SP500", "passive", *BECAUSE) == 0
    assert terminal.out.endswith("SP500 is PASSIVE; it was NO_ROLL.\n")
    why, = terminal.json("rolls", "why", "SP500")
    assert (why["state"], why["reason"]) == ("PASSIVE", "because")
    assert terminal("rolls", "set", "SP500", "no-roll", *BECAUSE) == 4
    assert "SP500 is PASSIVE with +5 lots in front and cannot become NO_ROLL" in terminal.err


def test_who_did_what_is_on_record(scene: Scene, terminal: Terminal) -> None:
    assert terminal("locks", "set", "SP500", *BECAUSE) == 0
    done = DeedLog(scene.store).newest(1)[0]
    assert (done.deed, done.why, bool(done.who)) == ("lock", "because", True)


def a_store_that_is_away() -> MongoStore:
    client: MongoClient[dict[str, Any]] = MongoClient("mongodb://127.0.0.1:1/", timeoutMS=500,
                                                      serverSelectionTimeoutMS=500, tz_aware=True)
    return MongoStore(client, client.get_database("nowhere"), transaction_timeout_s=1.0)


# --- over the socket -----------------------------------------------------------------------------------------------


def test_a_command_that_arrives_twice_is_done_once_and_answered_alike(scene: Scene, terminal: Terminal) -> None:
    scene.holds(5)
    path, body = terminal.state / "run" / "control.sock", {
        "id": "c1", "reason": "because", "instrument": "SP500", "giver": "s", "taker": "t", "lots": 2}
    first = request(path, "POST", "/trading/transfer", body)
    assert request(path, "POST", "/trading/transfer", body) == first
    assert (first["done"], first["why"], first["is_repeated"]) == (
        "t holds +2 SP500, s +3.", "because", False)
    assert scene.books.strategy_positions() == {("s", "SP500"): 3, ("t", "SP500"): 2}


@pytest.mark.parametrize("is_done", [False, True])
def test_a_command_that_a_killed_daemon_left_without_an_answer_is_answered(scene: Scene, terminal: Terminal,
                                                                           is_done: bool) -> None:
    """Killed behind the note that it came, or behind the deed itself."""
    # given
    scene.holds(5)
    MongoCommands(scene.store).accept("c1", {"verb": "transfer"}, scene.now)
    if is_done:
        scene.desk.do(Transfer(instrument="SP500", giver="s", taker="t", lots=2), scene.signed(id="c1"))

    # when it arrives again, twice
    path, body = terminal.state / "run" / "control.sock", {
        "id": "c1", "reason": "because", "instrument": "SP500", "giver": "s", "taker": "t", "lots": 2}
    answers = [request(path, "POST", "/trading/transfer", body) for _ in range(2)]

    # then it is done once
    assert answers[0] == answers[1]
    assert (answers[0]["done"], answers[0]["is_repeated"]) == ("t holds +2 SP500, s +3.", is_done)
    assert scene.books.strategy_positions() == {("s", "SP500"): 3, ("t", "SP500"): 2}


@pytest.mark.parametrize(("deed", "body", "status", "words"), [
    ("dance", {}, 404, "There is no deed dance (known: halt, resume-trading"),
    ("lock", {"instrument": "SP500"}, 400, "A reason is missing"),
    ("lock", {"instrument": "NOPE", "reason": "r"}, 404, "There is no instrument NOPE"),
    ("lock", {"instrument": "SP500", "reason": "r", "hue": "red"}, 400, "lock knows no hue; it takes instrument."),
    ("lock", ["SP500"], 400, "must be a JSON object"),
    ("approve", {"order": "IO-1", "reason": "r"}, 409, "waits for nothing")])
def test_an_error_has_the_status_that_tells_who_has_to_do_something(
        scene: Scene, terminal: Terminal, deed: str, body: object, status: int, words: str) -> None:
    scene.an_order()
    with pytest.raises(DaemonRefused) as caught:
        request(terminal.state / "run" / "control.sock", "POST", f"/trading/{deed}", body)
    assert caught.value.status == status
    assert words in str(caught.value)


# --- without a daemon ----------------------------------------------------------------------------------------------


def test_a_halt_without_a_daemon_is_written_to_the_store(
        scene: Scene, tmp_path: Path, capfd: pytest.CaptureFixture[str], server: str) -> None:
    terminal = Terminal(tmp_path, capfd, scene.store.database.name, server)
    assert terminal("halt", *BECAUSE) == 0
    assert terminal.out == ("The system is at K3_HALT. Lower it: tradectl resume-trading --reason \"...\" No daemon "
                            "did this: it is in the store, and holds wherever one leads or starts.\n")
    assert MongoKillState(scene.store).load().level is KillLevel.K3_HALT
    assert terminal("halt", "--instrument", "NOPE", *BECAUSE) == 1
    assert terminal.err.startswith("There is no instrument NOPE.")
    assert not (terminal.state / "HALT").exists()


def test_a_halt_without_a_store_writes_the_file_that_stops_everything(
        tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal(tmp_path, capfd, "nowhere", "mongodb://127.0.0.1:1/")
    assert terminal("halt", "--reason", "fire", "--yes") == 0
    flag = terminal.state / "HALT"
    assert json.loads(flag.read_text())["reason"] == "fire"
    assert terminal.out.endswith(
        f"Wrote {flag}: while it is there, tradingd on this machine sends nothing to the broker. Orders that work "
        f"there live on. To go on: tradectl resume-trading\n")


def test_a_halt_beside_a_daemon_whose_store_is_away_writes_it_too(
        tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    lost = a_store_that_is_away()
    other = tmp_path / "other"
    other.mkdir()
    beside = Terminal(other, capfd, "nowhere", "mongodb://127.0.0.1:1/")
    with DeskService(beside.state, lost, "mongodb://127.0.0.1:1/"):
        assert beside("halt", *BECAUSE) == 0
    assert (beside.state / "HALT").exists()
    lost.close()


def test_a_halt_with_a_broken_configuration_writes_it_too(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal(tmp_path, capfd, "nowhere")
    (terminal.config / "tradingd.yaml").write_text("mode: papr\n")
    assert terminal("halt", "--reason", "fire", "--yes") == 0
    assert (terminal.state / "HALT").exists()


def test_a_pause_without_a_store_stops_nothing_and_says_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal(tmp_path, capfd, "nowhere", "mongodb://127.0.0.1:1/")
    assert terminal("halt", "--instrument", "SP500", *BECAUSE) == 1
    assert terminal.err.startswith("Nothing was paused: neither the daemon nor the store answers")
    assert not (terminal.state / "HALT").exists()


def test_resuming_takes_the_file_away(terminal: Terminal) -> None:
    flag = terminal.state / "HALT"
    flag.write_text("{}")
    assert terminal("resume-trading", *BECAUSE) == 0
    assert not flag.exists()
    assert f"The file {flag} is removed" in terminal.out


@pytest.mark.parametrize("words", ["locks set SP500", "trade buy SP500 1 --strategy s", "flatten",
                                   "resume-trading", "limits set position SP500 1"])
def test_what_needs_the_daemon_says_how_to_start_it(words: str, tmp_path: Path, capfd: pytest.CaptureFixture[str],
                                                    store: MongoStore, server: str) -> None:
    terminal = Terminal(tmp_path, capfd, store.database.name, server)
    assert terminal(*words.split(), *BECAUSE) == 3
    assert "tradectl start" in terminal.err
