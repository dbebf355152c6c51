"""Which contract an order means, and how the market looks to it: a listed one, or a combination of several. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from trading.broker.simulated.combination import PricedLeg, combined, legs_of
from trading.broker.simulated.exchange import Market
from trading.broker.simulated.listing import BAG, FUTURE, ContractFacts, ContractQuery, Listing
from trading.broker.simulated.place_order import ComboLeg
from trading.broker.simulated.refusals import VALIDATION, Refusal

UNKNOWN: Final = Refusal(200, "No security definition has been found for the request")
FEWEST_LEGS: Final = 2


def named(query: ContractQuery, legs: Sequence[ComboLeg], listing: Listing, now: datetime) -> Market | Refusal:
    """What the client names; expired contracts are found, so that an order for one can be rejected by name."""
    if not query.exchange:
        return Refusal(321, f"{VALIDATION}Missing order exchange")
    if query.sec_type == BAG:
        return _combination(query, legs, listing)
    found = (listing.find(query, now, include_expired=False) or listing.find(query, now, include_expired=True))
    if len(found) > 1:
        return Refusal(200, f"The contract description specified for {query.symbol} is ambiguous; "
                            f"you must specify the multiplier or trading class.")
    return Market(found[0]) if found else UNKNOWN


def known(facts: ContractFacts, listing: Listing) -> Market | None:
    """The market of a contract that has orders already; None when the record no longer has it."""
    if facts.sec_type == BAG:
        parts = _priced(legs_of(facts), listing)
        return None if parts is None else Market(combined(facts.symbol, facts.exchange, facts.currency, parts), parts)
    contract = listing.by_id(facts.con_id)
    return None if contract is None else Market(contract)


def _combination(query: ContractQuery, legs: Sequence[ComboLeg], listing: Listing) -> Market | Refusal:
    if len(legs) < FEWEST_LEGS:
        return Refusal(321, f"{VALIDATION}A combination needs at least {FEWEST_LEGS} legs")
    wrong = next((leg for leg in legs if leg.action not in ("BUY", "SELL") or leg.ratio <= 0), None)
    if wrong is not None:
        return Refusal(314, f"The combo leg {wrong.con_id} is not valid: a side is BUY or SELL, a ratio at least 1.")
    parts = _priced(legs, listing)
    if parts is None:
        return Refusal(312, "The combo details are invalid: a leg is unknown.")
    if any(part.contract.facts.sec_type != FUTURE for part in parts):
        return Refusal(313, "The combo details for leg are invalid: only futures are combined here.")
    return Market(combined(query.symbol, query.exchange, query.currency, parts), parts)


def _priced(legs: Sequence[ComboLeg], listing: Listing) -> tuple[PricedLeg, ...] | None:
    contracts = [listing.by_id(leg.con_id) for leg in legs]
    parts = [PricedLeg(leg, contract) for leg, contract in zip(legs, contracts, strict=True) if contract is not None]
    return tuple(parts) if len(parts) == len(legs) else None
