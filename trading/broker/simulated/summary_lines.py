"""The lines of an account summary: every tag that the real gateway knows (message 63). Pure."""

from collections.abc import Iterable
from typing import Final

from trading.broker.simulated.account import AccountValue, Statement, summary_values

LEDGER: Final = "$LEDGER"
EVERY_CURRENCY: Final = "ALL"
LEDGER_BASE: Final = "BASE"
NOT_LIMITED: Final = "-1"  # day trades that remain to an account that may make any number


def summary_lines(statement: Statement, tags: Iterable[str]) -> list[AccountValue]:
    """What was asked for, in the order of the account window; of the ledger, the currencies that were named."""
    wanted = set(tags)
    plain = {tag for tag in wanted if not tag.startswith(LEDGER)}
    lines = summary_values(statement, plain)
    lines += [line for line in _others(statement) if line.key in wanted]
    return lines + _ledger(statement, {tag for tag in wanted if tag.startswith(LEDGER)})


def _ledger(statement: Statement, tags: set[str]) -> list[AccountValue]:
    """$LEDGER alone is the sum in the base currency, $LEDGER:EUR one currency, $LEDGER:ALL every one and the sum."""
    currencies = {tag.partition(":")[2].upper() or LEDGER_BASE for tag in tags}
    return [line for line in (summary_values(statement, (LEDGER,)) if tags else [])
            if EVERY_CURRENCY in currencies or line.currency in currencies]


def _others(statement: Statement) -> list[AccountValue]:
    """Tags that follow from the others, or that say nothing about an account of futures."""
    totals = {line.key: float(line.value) for line in summary_values(statement, (
        "NetLiquidation", "InitMarginReq", "MaintMarginReq", "AvailableFunds", "ExcessLiquidity",
        "EquityWithLoanValue"))}
    money = {
        "PreviousDayEquityWithLoanValue": totals["EquityWithLoanValue"], "RegTEquity": 0.0, "RegTMargin": 0.0,
        "SMA": 0.0, "LookAheadInitMarginReq": totals["InitMarginReq"],
        "LookAheadMaintMarginReq": totals["MaintMarginReq"], "LookAheadAvailableFunds": totals["AvailableFunds"],
        "LookAheadExcessLiquidity": totals["ExcessLiquidity"]}
    net = totals["NetLiquidation"]
    facts = {
        "Cushion": f"{totals['ExcessLiquidity'] / net:.6f}" if net > 0 else "0", "LookAheadNextChange": "0",
        "HighestSeverity": "", "DayTradesRemaining": NOT_LIMITED,
        **{f"DayTradesRemainingT+{day}": NOT_LIMITED for day in range(1, 5)},
        "Leverage": f"{statement.gross_value / net:.2f}" if net > 0 else "0"}
    return [*(AccountValue(key, f"{amount:.2f}", statement.base) for key, amount in money.items()),
            *(AccountValue(key, value) for key, value in facts.items())]
