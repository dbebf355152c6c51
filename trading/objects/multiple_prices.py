"""The priced contract beside its carry and forward contracts, row by row, and how they follow each other. Pure.

A frame with a sorted, unique UTC index and the columns below; prices are floats (NaN: not known at that moment),
contracts are texts YYYYMM00 ('' : none).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from trading.errors import DataError
from trading.objects.contracts import DeliveryMonth
from trading.objects.rolls import RollParameters

PRICE_COLUMNS: Final = ("PRICE", "CARRY", "FORWARD")
CONTRACT_COLUMNS: Final = ("PRICE_CONTRACT", "CARRY_CONTRACT", "FORWARD_CONTRACT")
MULTIPLE_COLUMNS: Final = PRICE_COLUMNS + CONTRACT_COLUMNS


@dataclass(frozen=True)
class ContractSet:
    """Which months are priced, measured for carry, and next to be held."""

    price: DeliveryMonth
    carry: DeliveryMonth
    forward: DeliveryMonth

    @classmethod
    def of(cls, price: DeliveryMonth, rolls: RollParameters) -> "ContractSet":
        return cls(price, rolls.carry(price), rolls.next_held(price))

    def months(self) -> tuple[DeliveryMonth, ...]:
        return tuple(dict.fromkeys((self.price, self.carry, self.forward)))


def current_contracts(instrument: str, frame: pd.DataFrame) -> ContractSet:
    """The contracts of the newest row.

    Raises:
        DataError: there is no row yet.
    """
    if frame.empty:
        raise DataError(f"{instrument} has no multiple prices yet. Import some: tradectl import pysystemtrade DIR")
    row = frame.iloc[-1]
    return ContractSet(*(DeliveryMonth.parse(row[column]) for column in CONTRACT_COLUMNS))


def rows_of(contracts: ContractSet, closes: Mapping[DeliveryMonth, pd.Series]) -> pd.DataFrame:
    """Multiple prices of one set of contracts from the close series of each month.

    Rows are the moments at which PRICE or FORWARD is known.

    `closes`: float series on a UTC index; a month without prices may be missing.
    """
    nothing = pd.Series(dtype="float64", index=pd.DatetimeIndex([], tz="UTC"))
    named = zip(PRICE_COLUMNS, (contracts.price, contracts.carry, contracts.forward), strict=True)
    prices = pd.DataFrame({column: closes.get(month, nothing) for column, month in named}).sort_index()
    prices = prices[prices["PRICE"].notna() | prices["FORWARD"].notna()]
    labels = (str(contracts.price), str(contracts.carry), str(contracts.forward))
    return prices.assign(**dict(zip(CONTRACT_COLUMNS, labels, strict=True)))[list(MULTIPLE_COLUMNS)]


def roll_reason(contracts: ContractSet, rolls: RollParameters, newer: pd.DataFrame, today: date) -> str | None:
    """Why the instrument should be rolled to its forward contract now, as a sentence; None when it should not.

    `newer`: rows since the last update, with the contracts of `contracts`. A roll needs a forward price to splice on.
    """
    if not newer["FORWARD"].notna().any():
        return None
    desired = rolls.desired_roll_date(contracts.price)
    if today >= desired:
        return f"{contracts.price} was to be left on {desired}"
    if not newer["PRICE"].notna().any():
        return f"{contracts.price} is no longer quoted while {contracts.forward} is"
    return None


def roll_gap(instrument: str, frame: pd.DataFrame, within_rows: int = 200) -> float:
    """Forward minus price at the last moment at which both are known: what a roll adds to the older prices.

    Raises:
        DataError: the two were not known together within the last `within_rows` rows.
    """
    both = frame.tail(within_rows)
    both = both[both["PRICE"].notna() & both["FORWARD"].notna()]
    if both.empty:
        raise DataError(f"{instrument} cannot be rolled: price and forward price were not known at the same moment "
                        f"within the last {within_rows} rows.")
    return float(both["FORWARD"].iloc[-1] - both["PRICE"].iloc[-1])


def normalised(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns in their order, floats as float64, contract labels as texts."""
    prices = frame[list(PRICE_COLUMNS)].astype("float64")
    labels = frame[list(CONTRACT_COLUMNS)].astype(object)
    labels = labels.where(labels.notna(), "").astype(str)
    return pd.concat([prices, labels], axis=1)


def last_price(frame: pd.DataFrame) -> float:
    """The newest known PRICE; NaN when there is none."""
    known = frame["PRICE"].dropna()
    return float(known.iloc[-1]) if len(known) else float(np.nan)
