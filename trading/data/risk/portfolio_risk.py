"""What a set of positions risks together: from the money that it would have made on each of the last days. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from trading.data.risk.instrument_risk import DAYS_A_YEAR, InstrumentRisk
from trading.risk.snapshot import Change, PortfolioFacts


@dataclass(frozen=True)
class PortfolioRisk:
    """The risks of all instruments that may be held.

    All orders of a batch are asked about the same two books, so a book's volatility is computed once.
    """

    risks: Mapping[str, InstrumentRisk]
    vol_target: float  # share of NAV a year
    _known: dict[frozenset[tuple[str, int]], float] = field(default_factory=dict)

    def facts(self, code: str, before: Mapping[str, int], after: Mapping[str, int],
              nav: float) -> PortfolioFacts | None:
        """`before` and `after` all orders of a batch, lots by instrument; None when a number of one is not known."""
        held = {each for each in (*before, *after) if before.get(each) or after.get(each)}
        if not nav > 0 or not all(map(self._is_known, held)):
            return None
        return PortfolioFacts(
            gross_notional=Change(before=self._notional(before), after=self._notional(after)),
            annual_vol=Change(before=self.volatility(before) / nav, after=self.volatility(after) / nav),
            vol_target=self.vol_target, class_risk_share=self._class_share(code, before, after),
            instrument_risk_share=self._share({code}, before, after))

    def _is_known(self, code: str) -> bool:
        risk = self.risks.get(code)
        return risk is not None and risk.annual_risk is not None and risk.notional is not None

    def _notional(self, lots: Mapping[str, int]) -> float:
        return sum(abs(size) * (self.risks[code].notional or 0.0) for code, size in lots.items() if size)

    def volatility(self, lots: Mapping[str, int]) -> float:
        """A year's standard deviation of the money made, with the correlations of the last year."""
        book = frozenset((code, size) for code, size in lots.items() if size)
        if book not in self._known:
            self._known[book] = self._computed(book)
        return self._known[book]

    def _computed(self, book: frozenset[tuple[str, int]]) -> float:
        """On a day without a price of its own an instrument made nothing; a day without any price does not count."""
        moves = [(*self.risks[code].last_year, (self.risks[code].money_per_point or 0.0) * size)
                 for code, size in sorted(book)]
        if not moves:
            return 0.0
        first = min(days[0] for days, _, _ in moves if len(days))
        money = np.zeros(max(days[-1] for days, _, _ in moves if len(days)) - first + 1)
        traded = np.zeros(len(money), dtype=bool)
        for days, changes, each in moves:
            money[days - first] += changes * each
            traded[days - first] = True
        return float(money[traded].std(ddof=1)) * math.sqrt(DAYS_A_YEAR)

    def _class_share(self, code: str, before: Mapping[str, int], after: Mapping[str, int]) -> Change:
        asset_class = self.risks[code].instrument.asset_class
        return self._share({each for each, risk in self.risks.items() if risk.instrument.asset_class == asset_class},
                           before, after)

    def _share(self, codes: set[str], before: Mapping[str, int], after: Mapping[str, int]) -> Change:
        """The part of `codes` in the stand-alone risk of all."""
        return Change(before=self._part(codes, before), after=self._part(codes, after))

    def _part(self, codes: set[str], lots: Mapping[str, int]) -> float:
        risks = {code: abs(size) * (self.risks[code].annual_risk or 0.0) for code, size in lots.items() if size}
        whole = sum(risks.values())
        return sum(risk for code, risk in risks.items() if code in codes) / whole if whole else 0.0
