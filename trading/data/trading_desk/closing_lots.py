"""Which lots of which contract each strategy closes when everything is left. Pure.

The broker knows contracts only: what is closed of a contract is exactly what is held of it. Strategies that are on
opposite sides settle between themselves without a trade, for two orders of ours must not meet at the exchange.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Closing:
    """Lots held (signed) that each strategy closes of each contract; contract None: books that do not add up.

    `settled` is what each strategy gets from the others first; it sums to zero.
    """

    lots: Mapping[tuple[str, str | None], int]
    settled: Mapping[str, int]


def closing_lots(strategies: Mapping[str, int], contracts: Mapping[str, int]) -> Closing:
    """How one instrument is left, of which strategies hold `strategies` and the account `contracts` (signed lots)."""
    left, lots = dict(strategies), _matched(strategies, contracts)
    for (strategy, _), taken in lots.items():
        left[strategy] -= taken
    for contract, held in contracts.items():
        rest = held - sum(taken for (_, key), taken in lots.items() if key == contract)
        if rest:
            carrier = max(left, key=lambda name: (abs(left[name]), name), default="")
            if not carrier:
                return Closing(lots={}, settled={})  # nobody holds it; the comparison with the broker tells of it
            lots[carrier, contract] = lots.get((carrier, contract), 0) + rest
            left[carrier] -= rest
    if sum(left.values()):
        return Closing(lots=_kept({**lots, **{(name, None): rest for name, rest in left.items()}}), settled={})
    return Closing(lots=_kept(lots), settled={name: -rest for name, rest in left.items() if rest})


def _matched(strategies: Mapping[str, int], contracts: Mapping[str, int]) -> dict[tuple[str, str | None], int]:
    """Lots of the same side, strategy by strategy."""
    found: dict[tuple[str, str | None], int] = {}
    free = dict(contracts)
    for strategy, held in sorted(strategies.items(), key=lambda each: (-abs(each[1]), each[0])):
        left = held
        for contract, there in free.items():
            taken = min(abs(left), abs(there)) if left * there > 0 else 0
            if taken:
                signed = taken if left > 0 else -taken
                found[strategy, contract] = signed
                free[contract] -= signed
                left -= signed
    return found


def _kept(lots: Mapping[tuple[str, str | None], int]) -> dict[tuple[str, str | None], int]:
    return {key: each for key, each in lots.items() if each}
