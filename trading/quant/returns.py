"""Are these returns fit to be estimated from? What is not is refused by name, never filled in or left out in silence.

Pure. A table of returns has one row a period and one column an instrument, in fractions or price points a period.
Source: quant.md 5, the degenerate inputs and what libraries make of them.
"""

import warnings
from collections.abc import Iterable
from enum import StrEnum

import numpy as np
import pandas as pd

from trading.errors import DataError


class BadReturns(DataError):
    """Returns from which nothing can be estimated; the message names the instruments and what to do."""


class SameReturns(UserWarning):
    """Two instruments have the same returns in every period; how weight is split between them is arbitrary."""


class Missing(StrEnum):
    """What to do about periods in which some instrument has no return."""

    REFUSE = "REFUSE"        # the default: somebody must decide
    DROP_ROWS = "DROP_ROWS"  # use only the periods in which every instrument has one
    PAIRWISE = "PAIRWISE"    # each pair on its own common periods; the matrix may then need repair


def usable_returns(returns: pd.DataFrame, missing: Missing = Missing.REFUSE, *, in_order: bool = False) -> pd.DataFrame:
    """`returns` as floats, without the rows that the policy drops.

    Args:
        returns: shape (T, n), T >= 2, names of columns unique.
        in_order: whether the estimate depends on the order of time, so that the index must ascend.

    Raises:
        BadReturns: a name twice, no or one row, an instrument without returns, with infinite or constant ones; missing
            values under REFUSE; an index that does not ascend.
    """
    _refuse(returns.columns[returns.columns.duplicated()], "is there more than once", "Give each column its own name")
    numbers = returns.astype(float)
    _check_rows(numbers, in_order)
    _refuse(_columns(numbers, np.isinf(numbers.to_numpy()).any(axis=0)), "has infinite returns", "Mend its prices")
    _refuse(_columns(numbers, numbers.isna().all(axis=0)), "has no returns at all", "Leave it out")
    holes = _columns(numbers, numbers.isna().any(axis=0))
    if missing is Missing.REFUSE:
        _refuse(holes, "lacks returns in some periods", "Choose missing=DROP_ROWS or PAIRWISE, or fill them")
    kept = numbers.dropna() if missing is Missing.DROP_ROWS else numbers
    if len(kept) < 2:
        raise BadReturns(f"{len(kept)} of {len(numbers)} periods have a return of every instrument, at least 2 are "
                         f"needed ({_named(holes)} lack some). Use a longer window or missing=PAIRWISE.")
    constant = kept.max(axis=0) - kept.min(axis=0) <= 8 * np.finfo(float).eps * kept.abs().max(axis=0)
    _refuse(_columns(kept, constant), "has constant returns, so no risk can be measured", "Leave it out")
    _warn_of_copies(kept)
    return kept


def _check_rows(returns: pd.DataFrame, in_order: bool) -> None:
    if returns.shape[1] == 0:
        raise BadReturns("The table of returns has no columns. Name at least one instrument.")
    if len(returns) < 2:
        raise BadReturns(f"{len(returns)} periods of returns were given, at least 2 are needed. Use a longer window.")
    if in_order and not returns.index.is_monotonic_increasing:
        raise BadReturns("The periods of the returns do not ascend, but the newest must count most. Sort the index.")


def _columns(table: pd.DataFrame, wrong: Iterable[bool]) -> list[str]:
    return [str(name) for name, is_wrong in zip(table.columns, wrong, strict=True) if is_wrong]


def _refuse(names: Iterable[object], what: str, do: str) -> None:
    found = sorted({str(name) for name in names})
    if found:
        raise BadReturns(f"{_named(found)} {what}. {do}.")


def _named(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 5 else f"{', '.join(names[:5])} (and {len(names) - 5} more)"


def _warn_of_copies(returns: pd.DataFrame) -> None:
    values = np.ascontiguousarray(returns.to_numpy().T)
    seen: dict[bytes, object] = {}
    for name, column in zip(returns.columns, values, strict=True):
        first = seen.setdefault(column.tobytes(), name)
        if first is not name:
            warnings.warn(f"{first} and {name} have the same returns; how weight is split between them is arbitrary",
                          SameReturns, stacklevel=3)
