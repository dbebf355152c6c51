"""Builds client messages as the real clients send them, field by field from ib_wire.md 2.2 and 2.3."""

from collections.abc import Sequence


def a_contract(*, con_id: str = "0", symbol: str = "ES", sec_type: str = "FUT", month: str = "202112",
               exchange: str = "CME", currency: str = "USD", local_symbol: str = "") -> list[str]:
    return [con_id, symbol, sec_type, month, "0.0", "", "", exchange, "", currency, local_symbol, ""]


def place_order(order_id: int, *, action: str = "BUY", quantity: str = "1", order_type: str = "MKT", limit: str = "",
                contract: Sequence[str] | None = None, tif: str = "DAY", ref: str = "", what_if: str = "0",
                algo: Sequence[str] = ("",), delta_neutral: str = "", hedge: str = "", scale: str = "",
                conditions: Sequence[str] = ("0",), transmit: str = "1", parent: str = "0",
                account: str = "", aux: str = "", oca: str = "", oca_type: str = "0", good_till: str = "",
                legs: Sequence[tuple[str, str, str]] = (("7", "1", "BUY"),), trail_stop: str = "",
                trailing_percent: str = "", limit_offset: str = "", cancel_on_condition: str = "0",
                version: int = 178) -> list[str]:
    """One placeOrder; optional blocks appear when their switch is set, gated ones by `version`."""
    fields = ["3", str(order_id), *(contract or a_contract()), "", ""]
    fields += [action, quantity, order_type, limit, aux, tif, oca, account, "O", "0", ref, transmit, parent]
    fields += ["0", "0", "0", "0", "0", "0"]
    if (contract or ["", "", ""])[2] == "BAG":
        fields += [str(len(legs)), *(text for con_id, ratio, side in legs
                                     for text in (con_id, ratio, side, "CME", "0", "0", "", "-1"))]
        fields += ["1", "5.0", "1", "NonGuaranteed", "1"]
    fields += ["", "0.0", "", good_till, "", "", ""] + ([""] if version < 177 else [])
    fields += ["", "0", "", "-1", oca_type, "", "", "0", "", "", "0", "0", "", "0", "", "", "", "", "", "0"]
    fields += ["", "", delta_neutral, ""] + (["1", "", "", "", "", "0", "0", ""] if delta_neutral else [])
    fields += ["0", "", trail_stop, trailing_percent, "", "", scale] + ([""] * 7 if scale else [])
    fields += ["", "", "", hedge] + (["x"] if hedge else []) + ["0", "", "", "0", "0"]
    fields += [*algo, "", what_if, "", "0", "0", "0"]
    if order_type == "PEG BENCH":
        fields += ["1", "0", "0.1", "0.1", "CME"]
    fields += [*conditions] + (["0", cancel_on_condition] if conditions[0] != "0" else [])
    fields += ["", "", limit_offset, *[""] * 16]
    fields += [value for since, value in ((158, ""), (160, ""), (162, "0"), (166, ""), (169, "")) if version >= since]
    if version >= 170 and order_type == "PEG BEST":
        fields += ["1", "Infinite", "0.0", "0.0"]
    fields += [value for since, value in ((183, ""), (184, "0"), (189, "0"), (192, ""), (199, "0")) if version >= since]
    return fields


def market_data(req_id: int, contract: Sequence[str], snapshot: str = "0", *, ticks: str = "",
                legs: Sequence[tuple[str, str, str]] = ()) -> list[str]:
    return ["1", "11", str(req_id), *contract, *_legs(contract, legs), "0", ticks, snapshot, "0", ""]


def historical(req_id: int, contract: Sequence[str], *, end: str = "", size: str = "1 day", duration: str = "5 D",
               what: str = "TRADES", format_date: str = "1", keep: str = "0", only_liquid: str = "0",
               legs: Sequence[tuple[str, str, str]] = ()) -> list[str]:
    return ["20", str(req_id), *contract, "0", end, size, duration, only_liquid, what, format_date,
            *_legs(contract, legs), keep, ""]


def _legs(contract: Sequence[str], legs: Sequence[tuple[str, str, str]]) -> list[str]:
    if contract[2] != "BAG":
        return []
    return [str(len(legs)), *(text for leg in legs for text in (*leg, "CME"))]


def a_roll(con_ids: Sequence[int]) -> tuple[tuple[str, str, str], ...]:
    """SELL the near leg, BUY the far one."""
    near, far = con_ids
    return (str(near), "1", "SELL"), (str(far), "1", "BUY")


def tick_by_tick(req_id: int, contract: Sequence[str], kind: str, past: int = 0) -> list[str]:
    return ["97", str(req_id), *contract, kind, str(past), "0"]


def depth(req_id: int, contract: Sequence[str], rows: int = 3, smart: str = "0") -> list[str]:
    return ["10", "5", str(req_id), *contract, str(rows), smart, ""]


def real_time_bars(req_id: int, contract: Sequence[str], what: str = "TRADES") -> list[str]:
    return ["50", "3", str(req_id), *contract, "5", what, "1", ""]


def past_ticks(req_id: int, contract: Sequence[str], *, what: str = "TRADES", start: str = "", end: str = "",
               count: int = 2) -> list[str]:
    return ["96", str(req_id), *contract, "0", start, end, str(count), what, "1", "0", ""]


def histogram(req_id: int, contract: Sequence[str], period: str = "1 day") -> list[str]:
    return ["88", str(req_id), *contract, "0", "0", period]
