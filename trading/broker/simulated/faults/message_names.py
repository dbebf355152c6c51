"""The names of the protocol's messages, for people who script faults (ib_wire.md 2.2, 2.4)."""

from typing import Final

MESSAGES: Final = {
    "tickPrice": "1", "tickSize": "2", "orderStatus": "3", "error": "4", "openOrder": "5", "accountValue": "6",
    "portfolioValue": "7", "accountUpdateTime": "8", "nextValidId": "9", "contractDetails": "10", "execDetails": "11",
    "marketDepth": "12", "managedAccounts": "15", "historicalData": "17", "currentTime": "49", "realTimeBar": "50",
    "contractDetailsEnd": "52", "openOrderEnd": "53", "accountDownloadEnd": "54", "execDetailsEnd": "55",
    "tickSnapshotEnd": "57", "marketDataType": "58", "commissionReport": "59", "position": "61", "positionEnd": "62",
    "accountSummary": "63", "accountSummaryEnd": "64", "accountUpdateMulti": "73", "accountUpdateMultiEnd": "74",
    "headTimestamp": "88", "historicalDataUpdate": "90", "marketRule": "93", "tickByTick": "99",
    "completedOrder": "101", "completedOrdersEnd": "102",
}
WHAT_IF: Final = "3 what-if"  # a placeOrder that only asks; faults of orders do not strike it
WHAT_IF_ANSWER: Final = "5 what-if"  # an openOrder likewise
REQUESTS: Final = {
    "reqMktData": "1", "cancelMktData": "2", "placeOrder": "3", "whatIf": WHAT_IF, "cancelOrder": "4",
    "reqOpenOrders": "5", "reqAccountUpdates": "6", "reqExecutions": "7", "reqIds": "8", "reqContractDetails": "9",
    "reqAllOpenOrders": "16", "reqManagedAccts": "17", "reqHistoricalData": "20", "reqCurrentTime": "49",
    "reqGlobalCancel": "58", "reqPositions": "61", "reqAccountSummary": "62", "startApi": "71",
    "reqAccountUpdatesMulti": "76", "reqHeadTimeStamp": "87", "reqCompletedOrders": "99",
}
_NAME_OF: Final = {number: name for name, number in REQUESTS.items()}
ORDER_REFERENCE_AT: Final = {"5": 23, "11": 26}  # where it stands


def name_of_request(number: str) -> str:
    """As people write it; the number itself when it has no name here."""
    return _NAME_OF.get(number, number)
