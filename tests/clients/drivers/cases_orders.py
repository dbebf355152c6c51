"""Orders: C3 to C5, C12 to C14, C22 to C25, C30, C33."""

from typing import Any

from cases_books import listed
from cases_market import roll
from tour import Tour, errors, limit, market, named, statuses


def c03_market_order(tour: Tour) -> dict[str, Any]:
    tour.client.positions()
    tour.until_event("positionEnd")
    order_id = tour.place(market("BUY", 2, orderRef="C3"))
    tour.until_status(order_id, "Filled")
    tour.until("a commission", lambda seen: named(seen, "commissionReport"))
    tour.until("a position", lambda seen: len(named(seen, "position")) > 0)
    return {"order": order_id}


def c04_place_modify_cancel(tour: Tour) -> dict[str, Any]:
    order_id = tour.place(limit("BUY", 1, 100.0, orderRef="C4"))
    tour.until_status(order_id, "Submitted")
    tour.client.place(order_id, tour.future(), tour.client.order(**limit("BUY", 1, 100.25, orderRef="C4")))
    tour.until("the echo of the new price", lambda seen: any(
        args[0] == order_id and args[2].get("lmtPrice") == 100.25 for args in named(seen, "openOrder")))
    tour.cancel(order_id)
    tour.until_error(202)
    return {"order": order_id}


def c05_every_kind_of_order(tour: Tour) -> dict[str, Any]:
    """None fills and each is echoed; whether a field was left over stands in the gateway's log."""
    condition = tour.client.price_condition(int(tour.months[0]["contract"]["conId"]), "CME", 9000.0)
    far = {"action": "BUY", "totalQuantity": 1, "tif": "GTC"}
    kinds = {
        "STP": {**far, "orderType": "STP", "auxPrice": 9000.0},
        "STP LMT": {**far, "orderType": "STP LMT", "auxPrice": 9000.0, "lmtPrice": 9000.25},
        "TRAIL": {**far, "orderType": "TRAIL", "auxPrice": 500.0},
        "TRAIL percent": {**far, "orderType": "TRAIL", "trailingPercent": 10.0},
        "TRAIL LIMIT": {**far, "orderType": "TRAIL LIMIT", "auxPrice": 500.0, "lmtPriceOffset": 1.0,
                        "trailStopPrice": 9000.0},
        "MOC": {**far, "orderType": "MOC", "tif": "DAY"},
        "LOC": {**far, "orderType": "LOC", "tif": "DAY", "lmtPrice": 100.0},
        "GTD": limit("BUY", 1, 100.0, tif="GTD", goodTillDate="20230630-12:00:00"),
        "OCA": limit("BUY", 1, 100.0, ocaGroup="c05", ocaType=1),
        "condition": limit("BUY", 1, 100.0, conditions=[condition]),
        "IOC": limit("BUY", 1, 100.0, tif="IOC"),
        "outside hours": limit("BUY", 1, 100.0, outsideRth=True),
    }
    ids = {name: tour.place(terms) for name, terms in kinds.items()}
    for order_id in ids.values():
        tour.until(f"an echo of {order_id}", lambda seen, order_id=order_id: any(
            args[0] == order_id for args in [*named(seen, "openOrder"), *errors(seen)]))
    tour.until_status(ids["IOC"], "Cancelled")
    for order_id in (each for name, each in ids.items() if name != "IOC"):
        tour.cancel(order_id)
    return {"ids": ids}


def c12_partial_fills(tour: Tour) -> dict[str, Any]:
    order_id = tour.place(market("BUY", 150, orderRef="C12"))
    tour.until("the first fill", lambda seen: named(seen, "execDetails"))
    for _ in range(8):
        if statuses(tour.seen, order_id)[-1:] == ["Filled"]:
            break
        tour.control("clock", forward_s=7200)
        tour.settled()
    tour.until_status(order_id, "Filled")
    tour.until("a commission for each", lambda seen: len(named(seen, "commissionReport")) >=
               len(named(seen, "execDetails")))
    tour.place(market("SELL", 100))
    tour.place(market("SELL", 50))
    return {"order": order_id}


def c13_margin(tour: Tour) -> dict[str, Any]:
    return _refused(tour, market("BUY", 1_000_000), 201)


def c13_tick(tour: Tour) -> dict[str, Any]:
    return _refused(tour, limit("BUY", 1, 100.001), 110)


def c13_used_id(tour: Tour) -> dict[str, Any]:
    order_id = tour.place_resting()
    tour.cancel(order_id)
    tour.client.send_again(order_id, tour.future(), tour.client.order(**limit("BUY", 1, 100.0)))
    tour.until_error(103)
    return {"order": order_id}


def c13_unknown_contract(tour: Tour) -> dict[str, Any]:
    nowhere = tour.client.contract(symbol="NOSUCH", secType="FUT", exchange="CME", currency="USD",
                                   lastTradeDateOrContractMonth="202309")
    return _refused(tour, limit("BUY", 1, 100.0), 200, nowhere)


def c13_missing_exchange(tour: Tour) -> dict[str, Any]:
    nowhere = tour.client.contract(symbol="AL", secType="FUT", currency="USD",
                                   lastTradeDateOrContractMonth=tour.months[0]["contractMonth"])
    return _refused(tour, limit("BUY", 1, 100.0), 321, nowhere)


def c13_no_time_in_force(tour: Tour) -> dict[str, Any]:
    terms = limit("BUY", 1, 100.0)
    del terms["tif"]
    return _refused(tour, terms, 10349)


def _refused(tour: Tour, terms: dict[str, Any], code: int, contract: Any = None) -> dict[str, Any]:
    order_id = tour.place(terms, contract)
    tour.until_error(code)
    tour.settled()
    facts = {"order": order_id, "statuses": statuses(tour.seen, order_id)}
    if facts["statuses"][-1:] in (["Submitted"], ["PreSubmitted"]):
        tour.cancel(order_id)
    return facts


def c14_cancel_a_filled_order(tour: Tour) -> dict[str, Any]:
    order_id = tour.place(market("BUY", 1))
    tour.until_status(order_id, "Filled")
    tour.client.cancel(order_id)
    tour.until("an error", errors)
    return {"order": order_id}


def c14_cancel_an_unknown_order(tour: Tour) -> dict[str, Any]:
    tour.client.cancel(999_999)
    tour.until_error(10147)
    return {}


def c14_cancel_twice(tour: Tour) -> dict[str, Any]:
    order_id = tour.place_resting()
    tour.cancel(order_id)
    tour.client.cancel(order_id)
    tour.until_error(10148)
    return {"order": order_id}


def c22_what_if(tour: Tour) -> dict[str, Any]:
    before = len(tour.control("state")["orders"])
    tour.client.what_if(tour.future(), tour.client.order(**market("BUY", 3)))
    tour.until("the margins", lambda seen: named(seen, "openOrder") or errors(seen))
    return {"before": before, "after": len(tour.control("state")["orders"])}


def c23_roll_order(tour: Tour) -> dict[str, Any]:
    tour.client.positions()
    tour.until_event("positionEnd")
    order_id = tour.place(market("BUY", 1, orderRef="C23"), roll(tour))
    tour.until("three executions", lambda seen: len(named(seen, "execDetails")) >= 3 or errors(seen))
    tour.until_status(order_id, "Filled")
    tour.until("two commissions", lambda seen: len(named(seen, "commissionReport")) >= 2)
    return {"order": order_id, "legs": [month["contract"]["conId"] for month in tour.months[:2]]}


def c24_adaptive(tour: Tour) -> dict[str, Any]:
    order_id = tour.place({**limit("BUY", 1, 100.0, tif="DAY"), "algoStrategy": "Adaptive",
                           "algo": (("adaptivePriority", "Patient"),)})
    tour.until("an echo", lambda seen: named(seen, "openOrder") or errors(seen))
    tour.cancel(order_id)
    return {"order": order_id}


def c25_bracket(tour: Tour) -> dict[str, Any]:
    """The parent rests, its children wait; when it is cancelled they go too."""
    client = tour.client
    parent, profit, loss = (int(client.new_order_id()) for _ in range(3))
    client.place(parent, tour.future(), client.order(**limit("BUY", 1, 100.0, transmit=False)))
    tour.settled()
    before = statuses(tour.seen, parent)
    client.place(profit, tour.future(), client.order(**limit("SELL", 1, 9000.0, parentId=parent, transmit=False)))
    stop = {"action": "SELL", "totalQuantity": 1, "orderType": "STP", "auxPrice": 500.0, "tif": "GTC"}
    client.place(loss, tour.future(), client.order(**stop, parentId=parent, transmit=True))
    for order_id in (parent, profit, loss):
        tour.until_status(order_id, "Submitted", "PreSubmitted")
    client.cancel(parent)
    for order_id in (parent, profit, loss):
        tour.until_status(order_id, "Cancelled")
    return {"parent": parent, "children": [profit, loss], "before": before}


def c25_one_cancels_all(tour: Tour) -> dict[str, Any]:
    first = tour.place(limit("BUY", 1, 100.0, ocaGroup="c25", ocaType=1))
    tour.until_status(first, "Submitted")
    second = tour.place(limit("BUY", 1, 9000.0, ocaGroup="c25", ocaType=1))
    tour.until_status(second, "Filled")
    tour.until_status(first, "Cancelled")
    return {"rests": first, "fills": second}


def c30_execution_times(tour: Tour) -> dict[str, Any]:
    """A fill in each style of time that a gateway can be set to."""
    told = {}
    for style in ("ZONE", "NO_ZONE", "UTC_DASH"):
        tour.control("settings", execution_times=style)
        order_id = tour.place(market("BUY", 1, orderRef=f"C30 {style}"))
        tour.until_status(order_id, "Filled")
        tour.until("its execution", lambda seen, order_id=order_id: _times(seen, order_id))
        told[style], = _times(tour.seen, order_id)
    tour.control("settings", execution_times="BY_VERSION")
    happened = {fill["order_ref"].removeprefix("C30 "): fill["time"] for fill in tour.control("state")["executions"]}
    return {"told": told, "happened": {style: happened[style] for style in told}}


def _times(seen: list[Any], order_id: int) -> list[str]:
    return [args[2]["time"] for args in named(seen, "execDetails") if args[2]["orderId"] == order_id]


def c33_read_only(tour: Tour) -> dict[str, Any]:
    """First orders are refused and still listed; then their lists are refused as well, and a client can connect."""
    client, resting = tour.client, tour.place_resting(orderRef="C33")
    tour.control("settings", read_only="ORDERS_SHOWN")
    refused = tour.place(limit("BUY", 1, tour.price))
    tour.until_error(321)
    client.cancel(resting)
    tour.until_error(321, 2)
    client.global_cancel()
    tour.until_error(321, 3)
    shown = listed(tour, client.all_open_orders)
    tour.control("settings", read_only="ORDERS_HIDDEN")
    client.ask_for_open_orders()
    tour.until_error(321, 4)
    with tour.another(13, read_only=True) as other:
        is_connected = other.is_connected
    tour.control("settings", read_only="OFF")
    tour.cancel(resting)
    return {"refused": refused, "resting": resting, "shown": shown, "is_connected": is_connected}
