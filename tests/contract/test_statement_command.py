"""tradectl reconcile statement FILE: shown, asked for, booked once, kept in the log of deeds; over a real socket."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from statement_files import a_row, activity, confirmations
from trading_desk_scene import SP, Scene
from trading_terminal import DeskService, Terminal

from trading.data.mongo.connection import MongoStore
from trading.data.trading_desk.deed_log import DeedLog
from trading.execution.broker_orders import BrokerLifecycle
from trading.execution.fills import Fill, FillStatus
from trading.execution.locks import LockCause

BECAUSE = ("--reason", "the statement of Monday", "--yes")
AT = datetime(2026, 3, 2, 15, 4, 5, tzinfo=UTC)


@pytest.fixture
def scene(store: MongoStore) -> Scene:
    return Scene(store)


@pytest.fixture
def terminal(scene: Scene, tmp_path: Path, capfd: pytest.CaptureFixture[str], server: str) -> Iterator[Terminal]:
    found = Terminal(tmp_path, capfd, scene.store.database.name)
    with DeskService(found.state, scene.store, server):
        yield found


def saved(folder: Path, text: str) -> str:
    file = folder / "flex.xml"
    file.write_text(text)
    return str(file)


def booked(scene: Scene, order: str, base: str = "0001f4e8.65.01", lots: int = 2) -> str:
    """A fill that the broker had told of, whose cost never came; its id."""
    scene.books.apply_fill(Fill(
        id=f"DU1/{base}", execution_id=f"{base}.01", revision=1, broker_order=order, contract=SP, con_id=40,
        quantity=lots, price=Decimal("5000.25"), at=AT, trading_day="2026-03-02"))
    return f"DU1/{base}"


def test_a_missed_fill_is_shown_asked_for_and_booked_to_its_order(terminal: Terminal, scene: Scene,
                                                                  tmp_path: Path) -> None:
    order = scene.at_the_broker()
    file = saved(tmp_path, activity(a_row(orderReference=order.id)))

    assert terminal("reconcile", "statement", file, "--dry-run") == 0
    assert "missing here DU1/0001f4e8.65.01" in terminal.out
    assert "+2 SP500/20260600 at 5000.25 for s" in terminal.out
    assert terminal.out.endswith("Nothing was changed.\n")
    assert scene.books.contract_positions() == {}

    assert terminal("reconcile", "statement", file, *BECAUSE) == 0
    [fill] = scene.books.fills()
    assert (fill.broker_order, fill.at, fill.commission, fill.trading_day) == (order.id, AT, Decimal("4.1"),
                                                                               "2026-03-02")
    assert scene.orders.broker_order(order.id).filled == 2
    assert scene.books.positions() == scene.books.rebuilt()
    assert scene.books.contract_positions() == {SP: 2}


def test_reading_a_statement_again_changes_nothing(terminal: Terminal, scene: Scene, tmp_path: Path) -> None:
    order = scene.at_the_broker()
    file = saved(tmp_path, confirmations(a_row(orderReference=order.id), a_row(
        orderReference=order.id, ibExecID="0001f4e8.66.01.01", quantity=1)))
    assert terminal("reconcile", "statement", file, *BECAUSE) == 0
    before = scene.store.database.fills.find_one({}), scene.orders.broker_order(order.id)
    assert terminal("reconcile", "statement", file, *BECAUSE) == 0
    assert "2 executions agree, none differs. 0 of these were booked" in terminal.out
    assert (scene.store.database.fills.find_one({}), scene.orders.broker_order(order.id)) == before


def test_what_the_broker_tells_after_its_statement_is_heard_of_before(terminal: Terminal, scene: Scene,
                                                                     tmp_path: Path) -> None:
    # given a fill, and one that was taken back, both known from the statement
    order = scene.at_the_broker()
    lost = booked(scene, order.id, "0001f4e8.66.01", lots=1)
    cancel = a_row(transactionType="TradeCancel", ibExecID="0001f4e8.66.01.01", quantity=-1, notes="Ca")
    assert terminal("reconcile", "statement", saved(tmp_path, activity(a_row(orderReference=order.id), cancel)),
                    *BECAUSE) == 0
    before = scene.books.fills()

    # when the broker tells of both after all, then nothing changes and nothing is locked
    known = scene.books.fill("DU1/0001f4e8.65.01")
    heard = [replace(known, commission=None, commission_currency=None, version=0, chain="", revisions=()),
             replace(scene.books.fill(lost), execution_id="0001f4e8.66.01.02", revision=2, quantity=0)]
    assert scene.books.apply(heard) == [False, False]
    assert (scene.books.fills(), scene.books.contract_positions()) == (before, {SP: 2})
    assert scene.store.database.instrument_locks.count_documents({}) == 0


def test_a_bust_moves_the_position_back_and_stays_on_record(terminal: Terminal, scene: Scene, tmp_path: Path) -> None:
    order = scene.at_the_broker()
    fill = booked(scene, order.id)
    file = saved(tmp_path, activity(a_row(orderReference=order.id), a_row(
        orderReference=order.id, transactionType="TradeCancel", buySell="BUY (Ca.)", quantity=-2, notes="Ca")))
    assert terminal("reconcile", "statement", file, *BECAUSE) == 0
    assert scene.books.fill(fill).status is FillStatus.BUSTED
    assert scene.books.contract_positions() == {}
    assert scene.orders.broker_order(order.id).filled == 0
    assert "the exchange has taken back +2 SP500/20260600 at 5000.25" in terminal.out


def test_a_correction_replaces_what_was_booked(terminal: Terminal, scene: Scene, tmp_path: Path) -> None:
    order = scene.at_the_broker()
    fill = booked(scene, order.id)
    file = saved(tmp_path, activity(
        a_row(orderReference=order.id), a_row(transactionType="TradeCancel", buySell="BUY (Ca.)", notes="Ca"),
        a_row(orderReference=order.id, tradePrice="5001.25", transactionType="TradeCorrect", notes="Co")))
    for _ in range(2):
        assert terminal("reconcile", "statement", file, *BECAUSE) == 0
    found = scene.books.fill(fill)
    assert (found.price, found.quantity, found.revision) == (Decimal("5001.25"), 2, 2)
    assert [each.price for each in found.revisions] == [Decimal("5000.25"), Decimal("5001.25")]


def test_a_commission_that_never_came_is_filled_in(terminal: Terminal, scene: Scene, tmp_path: Path) -> None:
    order = scene.at_the_broker()
    fill = booked(scene, order.id)
    assert terminal("reconcile", "statement", saved(tmp_path, activity(a_row(orderReference=order.id))), *BECAUSE) == 0
    assert "commission DU1/0001f4e8.65.01 not known 4.1 USD" in " ".join(terminal.out.split())
    assert (scene.books.fill(fill).commission, scene.orders.broker_order(order.id).commission) == (
        Decimal("4.1"), Decimal("4.1"))
    assert scene.store.database.instrument_locks.count_documents({}) == 0


def test_what_the_statement_lacks_is_told_locked_once_and_kept(terminal: Terminal, scene: Scene,
                                                              tmp_path: Path) -> None:
    order = scene.at_the_broker()
    booked(scene, order.id)
    file = saved(tmp_path, activity(a_row(ibExecID="0001f4e8.99.01.01", orderReference=order.id)))
    assert terminal("reconcile", "statement", file, *BECAUSE) == 0
    assert "the statement of that day does not; our books stay as they are" in terminal.out
    assert scene.books.fill("DU1/0001f4e8.65.01").quantity == 2
    locks = scene.store.database.instrument_locks
    assert locks.count_documents({"cause": LockCause.CONFLICT.value}) == 1

    # when a person has looked and opened it, then the same statement does not lock it again
    assert terminal("locks", "open", "SP500", "--evidence", "the broker's desk confirms it", *BECAUSE) == 0
    assert terminal("reconcile", "statement", file, *BECAUSE) == 0
    assert locks.count_documents({"cause": LockCause.CONFLICT.value}) == 0


def test_what_nobody_of_us_ordered_is_external_and_locks(terminal: Terminal, scene: Scene, tmp_path: Path) -> None:
    assert terminal("reconcile", "statement", saved(tmp_path, activity(a_row())), *BECAUSE) == 0
    assert scene.books.strategy_positions() == {("_EXTERNAL", "SP500"): 2}
    assert "SP500" in {row["instrument"] for row in scene.store.database.instrument_locks.find()}


def test_a_trade_that_a_person_has_booked_by_hand_is_not_booked_twice(terminal: Terminal, scene: Scene,
                                                                      tmp_path: Path) -> None:
    order = scene.at_the_broker()
    assert terminal("trade", "fill", order.id, "2", "--price", "5000.25", *BECAUSE) == 0
    [by_hand] = scene.books.fills()
    file = saved(tmp_path, activity(a_row(orderReference=order.id)))
    assert terminal("reconcile", "statement", file, *BECAUSE) == 0
    assert f"tradectl trade take-back {by_hand.id}" in terminal.out
    assert scene.books.contract_positions() == {SP: 2}

    # when it is taken back, then the statement's is booked
    assert terminal("trade", "take-back", by_hand.id, *BECAUSE) == 0
    assert terminal("reconcile", "statement", file, *BECAUSE) == 0
    assert scene.books.contract_positions() == {SP: 2}
    assert scene.orders.broker_order(order.id).lifecycle is BrokerLifecycle.WORKING


def test_the_deed_is_kept_with_the_digest_of_its_file(terminal: Terminal, scene: Scene, tmp_path: Path) -> None:
    text = activity(*(a_row(ibExecID=f"0001.{number}.01.01", quantity=1) for number in range(9)))
    assert terminal("reconcile", "statement", saved(tmp_path, text), *BECAUSE) == 0
    [deed] = DeedLog(scene.store).newest(1)
    _, asked = DeedLog(scene.store).find(deed.id) or (None, {})
    assert (deed.deed, deed.why, asked["document"][:7]) == ("statement", "the statement of Monday", "sha256 ")
    assert "9 missing here" in deed.done


@pytest.mark.parametrize(("text", "words"), [
    ("<html>", "The file is no statement, or only a part of one"),
    ("", "The file is no statement, or only a part of one"),
    ("<html></html>", "The file is no Flex report: it begins with <html>"),
    ('<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "defines a document type"),
    (activity(account="U999"), "The statement is of account U999; our books are those of DU1"),
    (activity(a_row(accountId="U999")), "The statement is of account U999; our books are those of DU1")])
def test_what_is_no_statement_of_ours_changes_nothing_and_says_why(terminal: Terminal, scene: Scene, tmp_path: Path,
                                                                   text: str, words: str) -> None:
    assert terminal("reconcile", "statement", saved(tmp_path, text), *BECAUSE) == 1
    assert words in terminal.err
    assert "Nothing was booked." in terminal.err
    assert scene.books.fills() == []


def test_a_file_that_cannot_be_read_is_named(terminal: Terminal, tmp_path: Path) -> None:
    assert terminal("reconcile", "statement", str(tmp_path / "none.xml"), *BECAUSE) == 2
    assert "none.xml cannot be read" in terminal.err


def test_without_a_reason_nothing_is_shown(terminal: Terminal, tmp_path: Path) -> None:
    assert terminal("reconcile", "statement", saved(tmp_path, activity(a_row())), "--yes") == 2
    assert "A reason is missing" in terminal.err


def test_a_program_gets_json(terminal: Terminal, tmp_path: Path) -> None:
    assert terminal("reconcile", "statement", saved(tmp_path, activity(a_row())), "--dry-run", "--json") == 0
    shown = json.loads(terminal.out)
    assert shown["before"] == {"missing here DU1/0001f4e8.65.01": "not in our books"}
