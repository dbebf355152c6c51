"""Questions in the background: nobody else waits, each is asked once, and who waits hears of the answer."""

from dataclasses import dataclass, field
from decimal import Decimal
from threading import Event

from trading.data.risk.margin_desk import MOST_OPEN, MarginDesk, NobodyAsks
from trading.errors import BrokerUnavailable
from trading.risk.margin_question import ANSWER_WITHIN_S, WhatIf
from trading.risk.snapshot import AccountFacts, Margin, MarginState

TOLD = Margin(initial_after=100.0, maintenance_after=80.0, equity_after=1000.0, currency="USD")
TWO_LOTS = WhatIf(con_id=7, exchange="CME", quantity=2, limit_price=Decimal(100))
LONG_S = 20.0  # no test waits for it


@dataclass
class FakeBroker:
    """Says nothing until it is let, or away from the beginning."""

    answer: Margin | None = TOLD
    is_away: bool = False
    asked: list[WhatIf] = field(default_factory=list)
    may_speak: Event = field(default_factory=Event)
    now_s: float = 1000.0

    def margin_after(self, order: WhatIf) -> Margin | None:
        self.asked.append(order)
        if self.is_away:
            raise BrokerUnavailable("the broker link is down")
        self.may_speak.wait(LONG_S)
        return self.answer

    def desk(self) -> MarginDesk:
        return MarginDesk(self.margin_after, lambda: self.now_s)


def known(desk: MarginDesk, order: str = "CO-1") -> AccountFacts:
    return desk.known_to(AccountFacts(), order, 0)


def test_a_question_holds_nobody_up_and_its_answer_wakes_who_waits() -> None:
    # given a broker that thinks
    broker = FakeBroker()
    desk = broker.desk()
    assert (known(desk).margin_state, desk.is_awaited) == (MarginState.WANTED, False)

    # when it is asked, then that returns at once, and nothing is there to hear
    desk.ask("CO-1", TWO_LOTS, 0)
    assert (known(desk).margin_state, desk.is_awaited, desk.wait(0.0)) == (MarginState.AWAITED, True, False)

    # when it answers
    broker.may_speak.set()

    # then who waits hears that once
    assert desk.wait(LONG_S)
    assert (known(desk).margin, known(desk).margin_lots) == (TOLD, 2)
    assert (desk.is_awaited, desk.wait(0.0)) == (False, False)


def test_looks_in_between_ask_nothing_again() -> None:
    broker = FakeBroker()
    desk = broker.desk()
    for _ in range(3):
        desk.ask("CO-1", TWO_LOTS, 0)
    broker.may_speak.set()
    assert desk.wait(LONG_S)
    assert broker.asked == [TWO_LOTS]


def test_many_orders_are_asked_about_at_once_but_no_more_than_the_broker_takes() -> None:
    broker = FakeBroker()
    desk = broker.desk()
    for number in range(MOST_OPEN + 1):
        desk.ask(f"CO-{number}", TWO_LOTS, 0)
    states = [known(desk, f"CO-{number}").margin_state for number in range(MOST_OPEN + 1)]
    assert states == [MarginState.AWAITED] * MOST_OPEN + [MarginState.WANTED]
    broker.may_speak.set()


def test_an_answer_that_comes_too_late_is_an_answer_all_the_same() -> None:
    """Until then our own table decides; afterwards there is something better."""
    broker = FakeBroker()
    desk = broker.desk()
    desk.ask("CO-1", TWO_LOTS, 0)
    broker.now_s += ANSWER_WITHIN_S
    assert (known(desk).margin_state, desk.is_awaited) == (MarginState.UNTOLD, False)
    broker.may_speak.set()
    assert desk.wait(LONG_S)
    assert known(desk).margin == TOLD


def test_a_broker_that_cannot_be_asked_tells_nothing() -> None:
    broker = FakeBroker(is_away=True)
    desk = broker.desk()
    desk.ask("CO-1", TWO_LOTS, 0)
    assert desk.wait(LONG_S)
    assert (known(desk).margin_state, known(desk).margin) == (MarginState.UNTOLD, None)


def test_where_nobody_asks_the_account_is_known_as_it_is() -> None:
    account = AccountFacts(nav=1.0)
    nobody = NobodyAsks()
    nobody.ask("CO-1", TWO_LOTS, 0)
    assert nobody.known_to(account, "CO-1", 0) == account
    assert (nobody.is_awaited, nobody.wait(LONG_S)) == (False, False)
