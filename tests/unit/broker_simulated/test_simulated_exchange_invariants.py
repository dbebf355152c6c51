"""Whatever clients do and however the day goes: the book adds up, limits hold, and a restart changes nothing."""

import tempfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from simulated_messages import a_contract, place_order
from simulated_record import ACCOUNT, NOON
from simulated_stage import Stage

from trading.broker.simulated.orders import OrderStatus

POINT_VALUE = 50.0
MONTHS = ("202112", "202203")


class TheExchange(RuleBasedStateMachine):
    """Random orders, changes, cancels, time and restarts against one gateway."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.stage = Stage(Path(self.folder.name))
        self.client = self.stage.a_client()
        self.next_id = 1

    def teardown(self) -> None:
        self.stage.world.close()
        self.folder.cleanup()

    @rule(action=st.sampled_from(("BUY", "SELL")), size=st.integers(1, 5), month=st.sampled_from(MONTHS),
          limit=st.none() | st.integers(4320, 4375), tif=st.sampled_from(("DAY", "GTC")))
    def place(self, action: str, size: int, month: str, limit: int | None, tif: str) -> None:
        self.stage.ask(self.client, place_order(
            self.next_id, action=action, quantity=str(size), order_type="MKT" if limit is None else "LMT",
            limit="" if limit is None else str(limit), contract=a_contract(month=month), tif=tif))
        self.next_id += 1

    @rule(number=st.integers(1, 10), limit=st.integers(4320, 4375), size=st.integers(1, 5))
    def modify(self, number: int, limit: int, size: int) -> None:
        order = self.stage.gateway.book.order_of(8, number)
        if order is not None:
            month = self.stage.gateway.book.contracts[order.con_id].month
            self.stage.ask(self.client, place_order(
                number, action=order.action, quantity=str(size), order_type=order.order_type, limit=str(limit),
                contract=a_contract(month=month), tif=order.tif))

    @rule(number=st.integers(1, 10))
    def cancel(self, number: int) -> None:
        self.stage.ask(self.client, ["4", "1", str(number), ""])

    @rule(minutes=st.sampled_from((1, 7, 15, 600, 3000)))
    def wait(self, minutes: int) -> None:
        if self.stage.clock.instant < NOON + timedelta(days=6):
            self.stage.move_to(self.stage.clock.instant + timedelta(minutes=minutes))

    @rule()
    def restart(self) -> None:
        before = self.stage.gateway.book
        self.stage.restart()
        assert self.stage.gateway.book == before
        self.client = self.stage.a_client()

    @invariant()
    def positions_are_the_sum_of_fills(self) -> None:
        book = self.stage.gateway.book
        for con_id, holding in book.account(ACCOUNT).holdings.items():
            assert holding.quantity == sum(f.signed_shares for f in book.executions if f.con_id == con_id)

    @invariant()
    def money_is_neither_made_nor_lost(self) -> None:
        book, statement = self.stage.gateway.book, self.stage.gateway.statement(ACCOUNT)
        marks = {marked.facts.con_id: marked.price for marked in statement.positions}
        gains = sum(fill.signed_shares * (marks.get(fill.con_id, 0.0) - fill.price) * POINT_VALUE - fill.commission
                    for fill in book.executions)
        assert statement.net_liquidation == pytest.approx(5_000_000.0 + gains, abs=0.01)
        assert statement.realised_total + statement.unrealised == pytest.approx(gains, abs=0.01)

    @invariant()
    def orders_are_filled_whole_and_within_their_limits(self) -> None:
        book = self.stage.gateway.book
        for order in book.orders.values():
            fills = [fill for fill in book.executions if fill.perm_id == order.perm_id]
            assert sum(fill.shares for fill in fills) == order.filled <= order.quantity
            assert (order.status is OrderStatus.FILLED) == bool(fills)
            for fill in fills if order.limit_price is not None else ():
                assert order.action.sign * (order.limit_price - Decimal(repr(fill.price))) >= 0
                assert fill.time <= self.stage.clock.instant


TheExchange.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestTheExchange = TheExchange.TestCase
