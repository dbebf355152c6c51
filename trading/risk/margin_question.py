"""What the broker is asked about the margin of one contract order, and how long its answer counts. Pure.

RC-23 asks before new risk is intended. The answer is of the moment when it was given: it knows nothing of what other
orders have been intended since. That is accepted for as long as `COUNTS_FOR_S`: what all orders of a decision need
together was judged when they were decided, by our own table with its factor; and an order that the account cannot
carry after all is refused by the broker itself. Fills of the very order make its answer void at once.

Times are monotonic seconds: a clock that is set makes no answer older or younger.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from trading.risk.snapshot import AccountFacts, Margin, MarginState

ANSWER_WITHIN_S: Final = 5.0  # RC-23; what-if questions are answered within a second, or not at all
COUNTS_FOR_S: Final = 120.0  # a few looks of an order that is worked; by then prices and other orders have moved on


@dataclass(frozen=True, kw_only=True)
class WhatIf:
    """The order that is asked about: `quantity` signed lots of the broker's contract, at a limit or at the market."""

    con_id: int
    exchange: str
    quantity: int
    limit_price: Decimal | None


@dataclass(frozen=True, kw_only=True)
class MarginQuestion:
    """One question and, when it has come, its answer; an answer that is None tells nothing."""

    lots: int  # signed
    filled: int  # lots of the contract order, signed, when it was asked
    asked_s: float
    is_answered: bool = False
    answer: Margin | None = None

    def answered(self, answer: Margin | None) -> "MarginQuestion":
        return replace(self, is_answered=True, answer=answer)

    def is_open(self, now_s: float) -> bool:
        """Whether an answer may still come in time."""
        return not self.is_answered and now_s - self.asked_s < ANSWER_WITHIN_S

    def state(self, filled: int, now_s: float) -> MarginState:
        """How things stand for a contract order that has filled `filled` by now."""
        if self.is_open(now_s):
            return MarginState.AWAITED
        if now_s - self.asked_s >= COUNTS_FOR_S:
            return MarginState.WANTED
        if self.answer is None:
            return MarginState.UNTOLD
        return MarginState.TOLD if filled == self.filled else MarginState.WANTED

    def known_to(self, account: AccountFacts, filled: int, now_s: float) -> AccountFacts:
        """`account`, and what the broker has said."""
        state = self.state(filled, now_s)
        return replace(account, margin=self.answer if state is MarginState.TOLD else None, margin_state=state,
                       margin_lots=self.lots)
