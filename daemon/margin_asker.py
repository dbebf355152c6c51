"""MarginAsker: what would the account need after an order? Asked of the broker, and "no answer" is an answer.

A question: real orders and cancels go before it, it is no order of ours, and nothing of it is stored.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from daemon.broker_parts import BrokerParts
from daemon.order_sender import Connection
from trading.broker.ib.library import WhatIfRequest
from trading.errors import BrokerError, StoreError
from trading.log import get_log
from trading.risk.margin_question import ANSWER_WITHIN_S, WhatIf
from trading.risk.snapshot import Margin

log = get_log()
EFFECT: Final = "our own table decides, made larger"


@dataclass(frozen=True)
class MarginAsker:
    """Over whatever connection there is now."""

    link: Connection
    parts: BrokerParts

    async def after(self, order: WhatIf, asker: str, currency: str) -> Margin | None:
        """The broker's word on `order` in `currency`, the account's; None when there is none within the time."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):  # its turn and the store included
                return await self._asked(order, asker, currency)
        except (BrokerError, StoreError, TimeoutError) as error:
            log.info("margin_not_told", con_id=order.con_id, lots=order.quantity, effect=EFFECT,
                     reason=str(error) or f"no answer within {ANSWER_WITHIN_S:g} s")
            return None

    async def _asked(self, order: WhatIf, asker: str, currency: str) -> Margin | None:
        if not self.parts.leadership.is_leader:
            return None
        await self.link.library(asker)
        highest = await self.parts.store.call(self.parts.store.orders.highest_order_id)
        return await self.link.ready_library().margin_after(
            WhatIfRequest(order=order, account=self.parts.settings.account, currency=currency, highest_used=highest),
            ANSWER_WITHIN_S)
