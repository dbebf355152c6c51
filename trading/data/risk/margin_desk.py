"""MarginDesk: asks the broker for the margin after an order in the background, so that no other order waits for it.

What is asked and how long it counts decides trading.risk.margin_question. A restart remembers nothing and asks again.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from trading.errors import TradingError
from trading.log import get_log
from trading.risk.margin_question import MarginQuestion, WhatIf
from trading.risk.snapshot import AccountFacts, Margin, MarginState

log = get_log()
MOST_OPEN: Final = 30  # questions at once: what the broker takes within a second, so that each is answered in time


@dataclass(frozen=True, kw_only=True)
class NobodyAsks:
    """For those who have no broker to ask, or whom the configuration forbids it."""

    is_awaited: bool = False

    def wait(self, wait_s: float) -> bool:  # noqa: ARG002 (the port's)
        return False

    def known_to(self, account: AccountFacts, order: str, filled: int) -> AccountFacts:  # noqa: ARG002 (the port's)
        return account

    def ask(self, order: str, what_if: WhatIf, filled: int) -> None:
        """It does not."""


@dataclass
class MarginDesk:
    """One question a contract order, each in a thread of its own that ends by itself within seconds."""

    margin_after: Callable[[WhatIf], Margin | None]  # blocks; raises TradingError when nothing could be asked
    monotonic_s: Callable[[], float]
    _questions: dict[str, MarginQuestion] = field(default_factory=dict)
    _news: threading.Condition = field(default_factory=threading.Condition)
    _has_news: bool = False

    @property
    def is_awaited(self) -> bool:
        """Whether an answer may still come."""
        with self._news:
            return self._open() > 0

    def wait(self, wait_s: float) -> bool:
        """Whether an answer has come since this was last asked; waits for one, at most `wait_s`."""
        with self._news:
            self._news.wait_for(lambda: self._has_news, wait_s)
            found, self._has_news = self._has_news, False
            return found

    def known_to(self, account: AccountFacts, order: str, filled: int) -> AccountFacts:
        """`account`, and what the broker has said for the contract order `order`, which has filled `filled`."""
        with self._news:
            question = self._questions.get(order)
        if question is None:
            return replace(account, margin_state=MarginState.WANTED)
        return question.known_to(account, filled, self.monotonic_s())

    def ask(self, order: str, what_if: WhatIf, filled: int) -> None:
        """Ask for the contract order `order`, unless that is being done, or so many are asked for that it must wait."""
        now_s = self.monotonic_s()
        question = MarginQuestion(lots=what_if.quantity, filled=filled, asked_s=now_s)
        with self._news:
            old = self._questions.get(order)
            if self._open() >= MOST_OPEN or (old is not None and old.is_open(now_s)):
                return
            self._questions[order] = question
        threading.Thread(target=self._answer, args=(order, question, what_if), daemon=True,
                         name=f"margin of {order}").start()

    def _answer(self, order: str, question: MarginQuestion, what_if: WhatIf) -> None:
        try:
            found = self.margin_after(what_if)
        except TradingError as error:
            found = None
            log.info("margin_not_asked", order=order, reason=str(error))
        with self._news:
            if self._questions.get(order) is question:
                self._questions[order] = question.answered(found)
                self._has_news = True
                self._news.notify_all()
        _tell(order, what_if.quantity, found)

    def _open(self) -> int:
        now_s = self.monotonic_s()
        return sum(question.is_open(now_s) for question in self._questions.values())


def _tell(order: str, lots: int, found: Margin | None) -> None:
    if found is None:
        log.warning("margin_not_told", order=order, lots=lots, effect="our own table decides, made larger")
    else:
        log.info("margin_told", order=order, lots=lots, initial=round(found.initial_after),
                 maintenance=round(found.maintenance_after), equity=round(found.equity_after))
