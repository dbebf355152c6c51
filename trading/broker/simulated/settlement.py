"""What happens to a position when its contract ends: it is settled in cash at the last recorded price. Pure.

No client has ordered it, so it belongs to no order and is not listed among the executions; the position is gone and
the account says the rest, as on the real gateway.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import Final

from trading.broker.simulated.book import Book, Changes
from trading.broker.simulated.orders import Action, Execution, Holding

NO_ORDER: Final = 0  # its permanent id
NOBODY: Final = -1  # its client


def settlement(book: Book, price_of: Callable[[Holding], float | None], today: date, now: datetime) -> Changes | None:
    """The end of one position whose contract has expired before `today`; None when there is none."""
    for account, own in book.accounts.items():
        for holding in own.open_holdings():
            if book.contracts[holding.con_id].is_expired(today):
                return Changes(executions=(_settled(book, account, holding, price_of(holding), now),))
    return None


def _settled(book: Book, account: str, holding: Holding, price: float | None, now: datetime) -> Execution:
    facts = book.contracts[holding.con_id]
    at = holding.average_cost / facts.point_value if price is None else price
    value = -holding.quantity * at * facts.point_value
    shares = abs(holding.quantity)
    return Execution(
        exec_id=book.next_exec_id(), perm_id=NO_ORDER, client_id=NOBODY, order_id=0, con_id=holding.con_id,
        account=account, action=Action.SELL if holding.quantity > 0 else Action.BUY, shares=shares, price=at, time=now,
        commission=0.0, currency=facts.currency,
        realised=holding.after(-holding.quantity, value, 0.0).realised - holding.realised, order_ref="",
        cumulative=shares, average=at)
