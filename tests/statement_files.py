"""Flex statements as the broker writes them, made of the rows that a test wants. All names and numbers are invented."""

from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import quoteattr

ROW = {"accountId": "DU1", "currency": "USD", "assetCategory": "FUT", "symbol": "ESM6", "conid": "40",
       "multiplier": "50", "transactionType": "ExchTrade", "buySell": "BUY", "quantity": "2", "tradePrice": "5000.25",
       "dateTime": "2026-03-02;15:04:05", "tradeDate": "2026-03-02", "tradeID": "711", "ibExecID": "0001f4e8.65.01.01",
       "ibCommission": "-4.1", "ibCommissionCurrency": "USD", "notes": "O", "orderReference": "",
       "levelOfDetail": "EXECUTION", "attributeOfNextYear": "anything"}
CONFIRMED = {"tradePrice": "price", "ibExecID": "execID", "ibCommission": "commission",
             "ibCommissionCurrency": "commissionCurrency", "notes": "code"}


def a_row(**changes: Any) -> dict[str, str]:
    """A purchase of two lots; attributes that are None are left out."""
    return {name: str(value) for name, value in (ROW | changes).items() if value is not None}


def activity(*rows: dict[str, str], account: str = "DU1", first: str = "2026-03-02", last: str = "2026-03-02") -> str:
    """An activity statement."""
    return _report("AF", account, (first, last), "Trades", _elements("Trade", rows))


def confirmations(*rows: dict[str, str], account: str = "DU1", day: str = "2026-03-02") -> str:
    """Trade confirmations, which call some things differently."""
    renamed = [{CONFIRMED.get(name, name): value for name, value in row.items()} for row in rows]
    return _report("TCF", account, (day, day), "TradeConfirms", _elements("TradeConfirm", renamed))


def _elements(tag: str, rows: Iterable[dict[str, str]]) -> str:
    return "\n".join(f"<{tag} {' '.join(f'{name}={quoteattr(value)}' for name, value in row.items())} />"
                     for row in rows)


def _report(kind: str, account: str, days: tuple[str, str], section: str, rows: str) -> str:
    return (f'<FlexQueryResponse queryName="tradingd" type="{kind}">\n<FlexStatements count="1">\n'
            f'<FlexStatement accountId="{account}" fromDate="{days[0]}" toDate="{days[1]}" period="LastBusinessDay" '
            f'whenGenerated="2026-03-03;02:10:00">\n<{section}>\n{rows}\n</{section}>\n</FlexStatement>\n'
            f"</FlexStatements>\n</FlexQueryResponse>\n")
