"""What one account holds: positions and cash, added up from its executions. Pure."""

from dataclasses import dataclass, field

from trading.broker.simulated.listing import BAG, CASH, ContractFacts
from trading.broker.simulated.orders import Execution, Holding


@dataclass
class AccountBook:
    """Changed only by `fold`; `contracts` are those of the whole book."""

    contracts: dict[int, ContractFacts] = field(repr=False, compare=False)
    holdings: dict[int, Holding] = field(default_factory=dict)
    cash_flows: dict[str, float] = field(default_factory=dict)
    fills_of: dict[int, list[Execution]] = field(default_factory=dict)

    def holding(self, con_id: int) -> Holding:
        return self.holdings.get(con_id, Holding(con_id=con_id))

    def open_holdings(self) -> list[Holding]:
        return [holding for holding in self.holdings.values() if holding.quantity]

    def cash(self) -> dict[str, float]:
        """Cash a currency, on top of the starting cash: what flowed, with open futures back at their cost."""
        cash = dict(self.cash_flows)
        for holding in self.open_holdings():
            currency = self.contracts[holding.con_id].currency
            cash[currency] = cash.get(currency, 0.0) + holding.cost
        return cash

    def fold(self, fill: Execution) -> None:
        """Book one execution; one that was taken back moves nothing, and of a combination its legs are booked."""
        self.fills_of.setdefault(fill.con_id, []).append(fill)
        facts = self.contracts[fill.con_id]
        if facts.sec_type == BAG or not fill.shares:
            return
        value = fill.signed_shares * fill.price * facts.point_value
        self._flow(facts.currency, -value - fill.commission)
        if facts.sec_type == CASH:
            self._flow(facts.symbol, fill.signed_shares)
        else:
            self.holdings[facts.con_id] = self.holding(facts.con_id).after(fill.signed_shares, value, fill.commission)

    def _flow(self, currency: str, amount: float) -> None:
        self.cash_flows[currency] = self.cash_flows.get(currency, 0.0) + amount
