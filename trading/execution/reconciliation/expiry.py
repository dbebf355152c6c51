"""The end of a contract as a change of the books: explicit, with its price, never a deletion. Pure (B6)."""

from trading.errors import DataError
from trading.execution.adjustments import Adjustment, AdjustmentKind, Entry
from trading.execution.reconciliation.our_view import OurView
from trading.execution.rolls.attribution import attribute


def expiry_of(contract: str, ours: OurView) -> Adjustment:
    """The adjustment that takes `contract` out of the books; without a price it is pending.

    Each strategy that holds the instrument on the contract's side gives up its share. Booking it twice changes nothing.

    Raises:
        DataError: the strategies hold nothing on that side, so nobody can say whose it was; a person books it.
    """
    lots, facts = ours.positions.contracts[contract], ours.contracts[contract]
    shares, instrument = _shares(contract, lots, ours), contract.rpartition("/")[0]
    entries = tuple(Entry(strategy=strategy, instrument=instrument, contract=contract, con_id=facts.con_id, lots=-share)
                    for strategy, share in shares.items())
    price = "at the settlement price" if facts.settlement_price is not None else "its settlement price is pending"
    return Adjustment(id=f"EXPIRY/{contract}/{ours.today}", kind=AdjustmentKind.EXPIRY, entries=entries, who="tradingd",
                      at=ours.at, price=facts.settlement_price,
                      reason=f"expired after {facts.last_trade}, and the broker no longer shows it; {price}")


def _shares(contract: str, lots: int, ours: OurView) -> dict[str, int]:
    instrument = contract.rpartition("/")[0]
    holders = {strategy: held for (strategy, code), held in ours.positions.strategies.items() if code == instrument}
    if len(holders) == 1:
        return dict.fromkeys(holders, lots)
    try:
        return attribute(lots, holders)
    except DataError as error:
        raise DataError(f"{contract} has expired with {lots:+d} lots, and no strategy is on that side in {instrument}. "
                        f"Book it to the strategy that it belongs to. See: tradectl positions") from error
