"""One code of the broker says three things about history; only one of them is "there is none"."""

import pytest

from trading.broker.ib.history import HistoryRefusal, refusal


@pytest.mark.parametrize(("code", "text", "meaning"), [
    (162, "Historical Market Data Service error message:HMDS query returned no data: ESZ1@CME Trades", "empty"),
    (162, "Historical Market Data Service error message:No market data permissions for CME FUT", "no permission"),
    (354, "Requested market data is not subscribed.", "no permission"),
    (10187, "Failed to request historical ticks:No market data permissions for NYMEX FUT", "no permission"),
    (162, "Historical Market Data Service error message:Historical data request pacing violation", "error"),
    (162, "Historical Market Data Service error message:Trading TWS session is connected from a different IP address",
     "error"),
    (200, "No security definition has been found for the request", "error"),
    (None, "no data", "error")])
def test_a_refusal_is_understood(code: int | None, text: str, meaning: str) -> None:
    assert refusal(code, text) is HistoryRefusal(meaning)
