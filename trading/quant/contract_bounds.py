"""How many contracts may be held, from limits and from what may only be reduced or not be traded. Pure."""

from dataclasses import dataclass

import numpy as np

from trading.errors import DataError
from trading.quant.arrays import Flags, Lots, Vector


@dataclass(frozen=True, kw_only=True, eq=False)
class ContractBounds:
    """Least and most contracts, shape (n,), whole or infinite; lower <= upper."""

    lower: Vector
    upper: Vector

    def nearest_to_zero(self) -> Lots:
        """The smallest position that is allowed, of each."""
        nearest: Lots = np.clip(np.zeros_like(self.lower), self.lower, self.upper).astype(np.int64)
        return nearest

    def reached(self, contracts: Lots, step: Lots) -> Flags:
        """Whether a further `step` would leave the bounds, or is none."""
        full = np.where(step > 0, contracts >= self.upper, contracts <= self.lower)
        return np.asarray(full | (step == 0), dtype=bool)

    def directions(self, optimal: Vector) -> Lots:
        """The way from there towards `optimal`: 1 or -1, 0 when there is nowhere to go."""
        towards = np.where(self.lower >= 0, 1, np.where(self.upper <= 0, -1, np.where(optimal < 0, -1, 1)))
        return np.where(self.lower == self.upper, 0, towards).astype(np.int64)


def contract_bounds(names: tuple[str, ...], held: Lots, maximum: Vector | None, reduce_only: frozenset[str],
                    no_trade: frozenset[str]) -> ContractBounds:
    """Bounds of each name; what may not be traded stays, whatever its limit says.

    Raises:
        DataError: a limit is negative or missing; a restriction names what is not in `names`.
    """
    strangers = (reduce_only | no_trade) - set(names)
    if strangers:
        raise DataError(f"{', '.join(sorted(strangers))} may not be traded freely but is not among the positions. Add "
                        f"it, or take the restriction away.")
    limit = np.full(len(names), np.inf) if maximum is None else np.floor(np.asarray(maximum, dtype=float))
    wrong = [name for name, most in zip(names, limit, strict=True) if not most >= 0]
    if wrong:
        raise DataError(f"The limit of {', '.join(wrong)} is negative or missing. Write 0 or more contracts.")
    lower, upper = -limit, limit.copy()
    for place, name in enumerate(names):
        if name in no_trade:
            lower[place] = upper[place] = held[place]
        elif name in reduce_only:
            lower[place] = max(lower[place], min(held[place], 0))
            upper[place] = min(upper[place], max(held[place], 0))
    return ContractBounds(lower=lower, upper=upper)
