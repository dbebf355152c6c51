"""Accounts: what the positions of a system would have earned, gross and net, at every level."""

from collections.abc import Callable

import pandas as pd

from trading.errors import DataError
from trading.objects.capital import CapitalMethod
from trading.objects.compounding import full_multiplier, half_multiplier
from trading.systems.account_curve import AccountCurve, together
from trading.systems.buffered_path import TradeTo
from trading.systems.gains import Gains
from trading.systems.instrument_weights import InstrumentWeights
from trading.systems.optimised_positions import OptimisedPositions
from trading.systems.portfolio import Portfolio
from trading.systems.rule_accounts import RuleAccounts
from trading.systems.sharpe_costs import turnover_of
from trading.systems.stage import SystemStage
from trading.systems.subsystem_accounts import SubsystemAccounts


class Accounts(SystemStage):
    """Profit and loss in the base currency, in percent of the notional capital.

    A position that is decided at one close is traded by the next, and earns from then on. Source: oracle README 06.
    """

    name = "accounts"
    needs = ("portfolio", "optimisedPositions", "instrumentWeights", "subsystemAccounts", "ruleAccounts", "gains")

    def portfolio(self) -> AccountCurve:
        """All instruments that are traded together, in whole contracts.

        Raises:
            DataError: the data of all of them are broken.
        """
        left_out = self.left_out()
        codes = [code for code in self.system.instruments.traded if code not in left_out]
        if not codes:
            reasons = "; ".join(left_out.values()) or "there are no prices"
            raise DataError(f"No instrument has an account: {reasons}. Import prices: "
                            f"tradectl import pysystemtrade DIR")
        capital = self.system.config.notional_trading_capital
        return together((self.pandl_for_instrument(code) for code in codes), capital)

    def left_out(self) -> dict[str, str]:
        """The instruments that are not traded or whose data are broken, and why; nothing is known of their accounts."""
        reasons = dict(self.system.instruments.not_traded)
        for code in self.system.instruments.traded:
            try:
                if not self.pandl_for_instrument(code).gross.notna().any():
                    reasons[code] = f"{code} has no prices"
            except DataError as error:
                reasons[code] = str(error)
        return reasons

    def pandl_for_instrument(self, code: str) -> AccountCurve:
        """What `code` added to the portfolio, in whole contracts: buffered, or optimised for a small account."""
        return self._gains.curve("instrument", code, lambda: self.position(code), self._costs(code))

    def pandl_for_subsystem(self, code: str) -> AccountCurve:
        """What `code` alone would have gained with the whole capital, in fractions of contracts."""
        return self.system.stage(SubsystemAccounts).pandl_for_subsystem(code)

    def pandl_for_rule(self, code: str, rule: str) -> AccountCurve:
        """What `rule` alone would have gained in `code`, with all the capital at the target's risk."""
        return self.system.stage(RuleAccounts).pandl_for_rule(code, rule)

    def portfolio_with_multiplier(self) -> AccountCurve:
        """The portfolio if profits were traded with as the settings say (`capital_multiplier`)."""
        curve, multiple = self.portfolio(), self.capital_multiplier().shift(1).fillna(1.0)
        return AccountCurve(gross=curve.gross * multiple, costs=curve.costs * multiple, capital=curve.capital)

    def capital_multiplier(self) -> pd.Series:
        """The capital at the end of each day as a multiple of what it began with."""
        returns, config = self.portfolio().percent() / 100, self.system.config
        if config.capital_multiplier is CapitalMethod.FULL:
            return full_multiplier(returns)
        if config.capital_multiplier is CapitalMethod.HALF:
            return half_multiplier(returns, config.chosen_conventions)
        return pd.Series(1.0, index=returns.index)

    def position(self, code: str) -> pd.Series:
        """Whole contracts each business day, had every decision been followed."""
        if self.system.config.small_account is not None:
            return self.system.stage(OptimisedPositions).position(code)
        return self.system.stage(Portfolio).held_position(code, TradeTo.OPTIMUM)

    def actual_position(self, code: str) -> pd.Series:
        """Contracts each business day, not rounded, for the capital that there was by then (`capital_multiplier`)."""
        notional = self.system.stage(Portfolio).notional_position(code)
        return notional * self.capital_multiplier().shift(1).fillna(1.0).reindex(notional.index, method="ffill")

    def turnover(self, code: str) -> float:
        """How often a year the position of an average forecast is bought and sold again, as contracts held of `code`.

        Source: pysystemtrade.md 4.7.
        """
        return turnover_of(self.position(code), self.system.stage(Portfolio).average_position(code))

    def _costs(self, code: str) -> Callable[[], pd.Series] | None:
        if self.system.config.costs == "cash":
            return None
        weights = self.system.stage(InstrumentWeights)

        def by_risk() -> pd.Series:
            days, share = self.position(code).index, weights.weight(code) * weights.multiplier()
            return self._gains.costs_by_risk(code, self.turnover(code), share.reindex(days, method="ffill"))
        return by_risk

    @property
    def _gains(self) -> Gains:
        return self.system.stage(Gains)
