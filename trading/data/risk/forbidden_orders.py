"""Takes back open orders that an override forbids: those that add risk where a position may only shrink (RC-02).

An override holds for what is decided next by itself; what was decided before it must not go on to trade.
"""

from dataclasses import dataclass

from trading.data.data_blob import DataBlob
from trading.data.mongo.controls import StoredOverride
from trading.errors import ConcurrentUpdate
from trading.execution.orders import InstrumentOrder
from trading.log import get_log
from trading.risk.overrides import Override, combined, forbids

log = get_log()


@dataclass(frozen=True)
class ForbiddenOrders:
    """Looks at overrides, positions and open orders as they are stored."""

    data: DataBlob

    def take_back(self) -> None:
        """End the families of all that is forbidden; whoever else writes one of them now is looked at again later."""
        overrides = [each for each in self.data.db_overrides.all() if each.override.cancels_adding_orders]
        if not overrides:
            return
        held = self.data.db_books.strategy_positions()
        for order in self.data.db_orders.open_instrument_orders():
            override = override_on(order, overrides)
            if forbids(override, order.residual, held.get((order.strategy, order.instrument), 0)):
                self._take_back(order, override)

    def _take_back(self, order: InstrumentOrder, override: Override) -> None:
        orders = self.data.db_orders
        found = orders.ending_of(order, f"an override is at {override.words}: {override.meaning}")
        if not found.changes:
            return
        try:
            orders.end(found)
        except ConcurrentUpdate as error:
            log.info("looked_at_again", order=order.id, reason=str(error))
            return
        log.warning("order_taken_back", order=order.id, instrument=order.instrument, override=override.words)


def override_on(order: InstrumentOrder, overrides: list[StoredOverride]) -> Override:
    """The strictest of those that cover it."""
    return combined(each.override for each in overrides if each.covers(order.strategy, order.instrument))
