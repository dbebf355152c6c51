"""Contracts, quotes and history: C6, C15 to C19, C29, C34."""

from typing import Any

from tour import Bars, Tour, errors, limit, named


def c06_contract_details(tour: Tour) -> dict[str, Any]:
    rows = _rows(tour, {"symbol": "AL", "secType": "FUT", "exchange": "CME", "currency": "USD"})
    tour.months = rows
    near = rows[0]["contract"]
    questions = {
        "by_month": {"symbol": "AL", "secType": "FUT", "exchange": "CME", "currency": "USD",
                     "lastTradeDateOrContractMonth": rows[0]["contractMonth"]},
        "by_local_symbol": {"secType": "FUT", "exchange": "CME", "localSymbol": near["localSymbol"]},
        "by_con_id": {"conId": int(near["conId"])},
        "unknown": {"symbol": "NOSUCH", "secType": "FUT", "exchange": "CME"},
        "expired": {"symbol": "AL", "secType": "FUT", "exchange": "CME", "includeExpired": True},
    }
    answers = {name: [row["contract"]["localSymbol"] for row in _rows(tour, fields)]
               for name, fields in questions.items()}
    return {"by_symbol": [row["contract"]["localSymbol"] for row in rows], "first": rows[0], **answers}


def c06_ambiguous_multiplier(tour: Tour) -> dict[str, Any]:
    """Two contracts differ in their multiplier alone: details tell both, an order must say which."""
    month = {"symbol": "BR", "secType": "FUT", "exchange": "CME", "currency": "USD",
             "lastTradeDateOrContractMonth": tour.months[0]["contractMonth"]}
    refused = tour.place(limit("BUY", 1, 100.0), tour.client.contract(**month))
    tour.until_error(200)
    named_one = tour.place(limit("BUY", 1, 100.0), tour.client.contract(**month, multiplier="2"))
    tour.until_status(named_one, "Submitted")
    tour.cancel(named_one)
    return {"refused": refused, "named": named_one, "both": _multipliers(tour, month),
            "one": _multipliers(tour, {**month, "multiplier": "2"})}


def _multipliers(tour: Tour, fields: dict[str, Any]) -> list[str]:
    return [row["contract"]["multiplier"] for row in _rows(tour, fields)]


def c06_expired(tour: Tour) -> dict[str, Any]:
    """A month that is over is there for those who ask for such, and for nobody else."""
    future = {"symbol": "AL", "secType": "FUT", "exchange": "CME", "currency": "USD"}
    over = _rows(tour, {**future, "includeExpired": True})[0]["contractMonth"]
    month = {**future, "lastTradeDateOrContractMonth": over}
    without, included = (_rows(tour, {**month, "includeExpired": flag}) for flag in (False, True))
    return {"month": over, "without": len(without), "included": [row["contractMonth"] for row in included]}


def _rows(tour: Tour, fields: dict[str, Any]) -> list[dict[str, Any]]:
    """The answer to one question; the window of the case stays what it is."""
    mark = len(tour.client.recorder.events)
    tour.client.contract_details(tour.client.contract(**fields))
    if not tour.client.recorder.until(mark, lambda seen: named(seen, "contractDetailsEnd") or errors(seen), 4.0):
        tour.problems.append(f"contract details of {fields} never ended")
    return [args[1] for args in named(tour.client.recorder.since(mark), "contractDetails")]


def c19_market_rule_of_several_bands(tour: Tour) -> dict[str, Any]:
    near = _rows(tour, {"symbol": "BR", "secType": "FUT", "exchange": "CME", "currency": "USD", "multiplier": "20"})[0]
    tour.client.market_rule(int(near["marketRuleIds"].split(",")[0]))
    tour.until_event("marketRule")
    return {"least": near["minTick"]}


def c13_tick_of_a_band(tour: Tour) -> dict[str, Any]:
    """80.05 is on the grid, 100.05 is not: the tick depends on the price."""
    near = _rows(tour, {"symbol": "BR", "secType": "FUT", "exchange": "CME", "currency": "USD", "multiplier": "20"})[0]
    contract = tour.client.contract(conId=int(near["contract"]["conId"]), exchange="CME")
    rests = tour.place(limit("BUY", 1, 80.05), contract)
    tour.until_status(rests, "Submitted")
    tour.cancel(rests)
    tour.place(limit("BUY", 1, 100.05), contract)
    tour.until_error(110)
    return {"rests": rests}


def c15_market_data(tour: Tour) -> dict[str, Any]:
    client = tour.client
    future = tour.future()  # ib_insync knows a line by the very object
    line = client.market_data(future)
    tour.until("a bid and an ask", lambda seen: {1.0, 2.0} <= {args[1] for args in named(seen, "tickPrice")})
    client.cancel_market_data(line, future)
    tour.settled()
    return {"line": line}


def c15_snapshot(tour: Tour) -> dict[str, Any]:
    tour.client.market_data(tour.future(), snapshot=True)
    tour.until_event("tickSnapshotEnd")
    return {}


def c15_spread(tour: Tour) -> dict[str, Any]:
    spread = roll(tour)
    line = tour.client.market_data(spread)
    tour.until("a bid and an ask", lambda seen: {1.0, 2.0} <= {args[1] for args in named(seen, "tickPrice")}
               or errors(seen))
    tour.client.cancel_market_data(line, spread)
    return {}


def roll(tour: Tour) -> Any:
    near, far = (int(tour.months[place]["contract"]["conId"]) for place in (0, 1))
    return tour.client.contract(symbol="AL", secType="BAG", exchange="CME", currency="USD",
                                legs=((near, "SELL", "CME"), (far, "BUY", "CME")))


def c16_a_line_too_many(tour: Tour) -> dict[str, Any]:
    """Official clients only: a library has one line a contract."""
    lines = [tour.client.market_data(tour.future()) for _ in range(101)]
    tour.until_error(101)
    for line in lines[:100]:
        tour.client.cancel_market_data(line, None)
    return {"last": lines[-1]}


def c17_daily_bars(tour: Tour) -> dict[str, Any]:
    return _bars(tour, Bars())


def c17_hourly_bars(tour: Tour) -> dict[str, Any]:
    return _bars(tour, Bars(size="1 hour", duration="2 D"))


def c17_epoch_bars(tour: Tour) -> dict[str, Any]:
    return _bars(tour, Bars(size="1 hour", duration="2 D", format_date=2))


def c17_bid_ask_bars(tour: Tour) -> dict[str, Any]:
    return _bars(tour, Bars(size="1 hour", duration="2 D", what="BID_ASK"))


def c17_schedule(tour: Tour) -> dict[str, Any]:
    tour.client.history(tour.future(), Bars(what="SCHEDULE"))
    tour.until_event("historicalSchedule")
    return {}


def _bars(tour: Tour, bars: Bars) -> dict[str, Any]:
    tour.client.history(tour.future(), bars)
    tour.until_event("historicalDataEnd")
    return {}


def c17_bars_that_go_on(tour: Tour) -> dict[str, Any]:
    line = tour.client.history(tour.future(), Bars(size="1 hour", duration="1 D", keep=True))
    tour.until_event("historicalDataEnd")
    tour.control("clock", forward_s=3 * 3600)
    tour.until_event("historicalDataUpdate")
    tour.client.cancel_history(line)
    return {}


def c18_no_data(tour: Tour) -> dict[str, Any]:
    tour.client.history(tour.future(), Bars(size="1 hour", duration="1 D", end="20010105-12:00:00"))
    tour.until_error(162)
    return {}


def c18_bad_end(tour: Tour) -> dict[str, Any]:
    """Official clients only: a library writes the end itself."""
    tour.client.history(tour.future(), Bars(end="yesterday"))
    tour.until("an error", errors)
    return {}


def c18_duplicate_id(tour: Tour) -> dict[str, Any]:
    """Official clients only: a library gives ids itself."""
    line = tour.client.history(tour.future(), Bars(size="1 hour", duration="1 D", keep=True))
    tour.until_event("historicalDataEnd")
    tour.client.history(tour.future(), Bars(size="1 hour", duration="1 D", keep=True), req_id=line)
    tour.until("an error", errors)
    tour.client.cancel_history(line)
    return {}
