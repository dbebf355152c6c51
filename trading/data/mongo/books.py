"""The books: fills, and the positions that are their sums. A fill and everything it moves is one transaction."""

from dataclasses import replace
from decimal import Decimal

from pymongo.client_session import ClientSession

from trading.data.mongo.connection import Document, MongoStore
from trading.data.mongo.orders import (
    MongoOrders,
    broker_order,
    contract_order,
    fill_document,
    fill_from,
    instrument_order,
)
from trading.data.mongo.versioned import replace_version
from trading.execution.broker_orders import BrokerLifecycle
from trading.execution.fills import Fill
from trading.execution.orders import OrderKind


class MongoBooks:
    """Fills and positions of the account."""

    def __init__(self, store: MongoStore) -> None:
        self._store = store
        self._database = store.database
        self._orders = MongoOrders(store)

    def fills(self, trading_day: str | None = None) -> list[Fill]:
        query = {} if trading_day is None else {"trading_day": trading_day}
        return [fill_from(row) for row in self._database.fills.find(query).sort("at", 1)]

    def contract_positions(self) -> dict[str, int]:
        """Contract key to lots; only what is not flat."""
        rows = self._database.contract_positions.find({"quantity": {"$ne": 0}}).sort("_id", 1)
        return {row["_id"]: int(row["quantity"]) for row in rows}

    def contract_positions_by_con_id(self) -> dict[str, tuple[int, int]]:
        """Contract key to the broker's number of it and lots; only what is not flat."""
        rows = self._database.contract_positions.find({"quantity": {"$ne": 0}}).sort("_id", 1)
        return {row["_id"]: (int(row["con_id"]), int(row["quantity"])) for row in rows}

    def strategy_positions(self) -> dict[tuple[str, str], int]:
        """(strategy, instrument) to lots; only what is not flat."""
        rows = self._database.strategy_positions.find({"quantity": {"$ne": 0}}).sort("_id", 1)
        return {(row["strategy"], row["instrument"]): int(row["quantity"]) for row in rows}

    def apply_fill(self, fill: Fill) -> bool:
        """Book `fill` once: the fill, its three orders and both positions. False when it was booked before.

        A newer revision replaces an older one by its difference. A fill of nobody's order is stored alone; the
        comparison with the broker's positions will find it.
        """
        def steps(session: ClientSession) -> bool:
            known = self._database.fills.find_one({"_id": fill.id}, session=session)
            if known is not None and known["revision"] >= fill.revision:
                return False
            change = fill.quantity - (known["quantity"] if known else 0)
            document = fill_document(fill)
            if known is not None:
                document |= {key: known[key] for key in ("commission", "commission_currency")}
            self._database.fills.replace_one({"_id": fill.id}, document, upsert=True, session=session)
            if fill.broker_order is not None and change:
                self._move(fill, change, session)
            return True
        return self._store.transact(steps)

    def apply_commission(self, fill_id: str, amount: Decimal, currency: str) -> bool:
        """Add what a fill cost, once; False when the fill is not known (yet) or already has it."""
        def steps(session: ClientSession) -> bool:
            row = self._database.fills.find_one({"_id": fill_id}, session=session)
            if row is None or row["commission"] == str(amount):
                return False
            earlier = Decimal(row["commission"] or 0)
            self._database.fills.update_one(
                {"_id": fill_id}, {"$set": {"commission": str(amount), "commission_currency": currency}},
                session=session)
            if row["broker_order"] is not None:
                self._add_commission(row["broker_order"], amount - earlier, currency, session)
            return True
        return self._store.transact(steps)

    def _add_commission(self, order_id: str, amount: Decimal, currency: str, session: ClientSession) -> None:
        order = broker_order(self._row("broker_orders", order_id, session))
        self._orders.write(self._database.broker_orders, replace(
            order, commission=(order.commission or Decimal(0)) + amount, commission_currency=currency), session)

    def _move(self, fill: Fill, change: int, session: ClientSession) -> None:
        assert fill.broker_order is not None
        order = broker_order(self._row("broker_orders", fill.broker_order, session))
        leg = contract_order(self._row("contract_orders", order.parent, session))
        parent = instrument_order(self._row("instrument_orders", leg.parent, session))
        order = replace(order, filled=order.filled + change)
        if order.filled == order.quantity:
            order = order.advanced(BrokerLifecycle.FILLED)
        self._orders.write(self._database.broker_orders, order, session)
        self._orders.write(self._database.contract_orders, replace(leg, filled=leg.filled + change), session)
        if parent.kind is not OrderKind.ROLL:
            self._orders.write(self._database.instrument_orders,
                               replace(parent, filled=parent.filled + change), session)
        self._add("contract_positions", order.contract, change, {"con_id": order.con_id}, session)
        self._add("strategy_positions", f"{order.strategy}/{order.instrument}", change,
                  {"strategy": order.strategy, "instrument": order.instrument}, session)

    def _row(self, collection: str, key: str, session: ClientSession) -> Document:
        row = self._database[collection].find_one({"_id": key}, session=session)
        assert row is not None, f"{collection} {key} must exist: its child does"
        return row

    def _add(self, collection: str, key: str, change: int, facts: Document, session: ClientSession) -> None:
        row = self._database[collection].find_one({"_id": key}, session=session) or {"quantity": 0, "v": 0}
        document = {"_id": key, **facts, "quantity": row["quantity"] + change}
        replace_version(self._database[collection], document, row["v"], f"position {key}", session)
