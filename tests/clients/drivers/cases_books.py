"""What the gateway keeps: C8 to C11, C20, C21."""

from typing import Any

from tour import ACCOUNT, Tour, errors, limit, market, named, statuses


def c08_who_sees_which_order(tour: Tour) -> dict[str, Any]:
    ours = tour.place_resting(orderRef="ours")
    with tour.another(9) as other:
        theirs = _rest_elsewhere(tour, other)
        mine = listed(tour, tour.client.open_orders)
        every = listed(tour, tour.client.all_open_orders)
        other.cancel(theirs)
        other.recorder.until(0, lambda seen: "Cancelled" in statuses(seen, theirs))
    tour.cancel(ours)
    return {"open_orders": mine, "all_open_orders": every}


def c09_cancel_another_clients_order(tour: Tour) -> dict[str, Any]:
    with tour.another(11) as other:
        theirs = _rest_elsewhere(tour, other)
        ours = tour.place_resting(orderRef="ours")
        tour.client.cancel(theirs)
        tour.until_error(10147)
        tour.client.global_cancel()
        tour.until_status(ours, "Cancelled")
        ended = other.recorder.until(0, lambda seen: "Cancelled" in statuses(seen, theirs), 4.0)
        return {"ours": ours, "theirs_cancelled": ended}


def _own_ids(tour: Tour) -> set[int]:
    return {int(args[0]) for args in named(tour.client.recorder.events, "orderStatus")}


def _rest_elsewhere(tour: Tour, other: Any) -> int:
    """An order of another client, with an id that ours has not used."""
    order_id = max(_own_ids(tour)) + int(other.new_order_id()) + 5000
    other.place(order_id, tour.future(), other.order(**limit("BUY", 1, 100.0, orderRef="theirs")))
    if not other.recorder.until(0, lambda seen: "Submitted" in statuses(seen, order_id), 4.0):
        tour.problems.append("the order of the other client does not rest")
    return order_id


def listed(tour: Tour, request: Any) -> list[str]:
    mark = len(tour.client.recorder.events)
    request()
    tour.client.recorder.until(mark, lambda seen: named(seen, "openOrderEnd"), 4.0)
    return [args[2].get("orderRef", "") for args in named(tour.client.recorder.since(mark), "openOrder")]


def c10_executions_after_reconnect(tour: Tour) -> dict[str, Any]:
    order_id = tour.place(market("BUY", 1, orderRef="C10"))
    tour.until_status(order_id, "Filled")
    tour.until("its execution", lambda seen: named(seen, "execDetails"))
    live = [args[2]["execId"] for args in named(tour.seen, "execDetails")]
    with tour.another(10) as other:
        mark = len(other.recorder.events)
        other.executions()
        other.recorder.until(mark, lambda seen: named(seen, "execDetailsEnd"), 4.0)
        other.current_time()
        other.recorder.until(mark, lambda seen: named(seen, "currentTime"), 4.0)
        seen = other.recorder.since(mark)
        return {"live": live, "req_ids": [args[0] for args in named(seen, "execDetails")],
                "found": [args[2]["execId"] for args in named(seen, "execDetails")],
                "commissions": [args[0]["execId"] for args in named(seen, "commissionReport")]}


def c11_completed_orders(tour: Tour) -> dict[str, Any]:
    order_id = tour.place(market("SELL", 1, orderRef="C11"))
    tour.until_status(order_id, "Filled")
    tour.client.completed()
    tour.until_event("completedOrdersEnd")
    return {"order": order_id}


def c20_account_updates(tour: Tour) -> dict[str, Any]:
    """The values at first, and the position again after a fill."""
    if not tour.client.is_library:
        tour.client.account_updates(ACCOUNT)
        tour.until_event("accountDownloadEnd")
    before = len(named(tour.seen, "updatePortfolio"))
    order_id = tour.place(market("BUY", 1))
    tour.until_status(order_id, "Filled")
    tour.until("the position again", lambda seen: len(named(seen, "updatePortfolio")) > before)
    return {"before": before}


def c20_account_summary(tour: Tour) -> dict[str, Any]:
    tour.client.account_summary()
    tour.until_event("accountSummaryEnd")
    return {}


def c20_account_updates_multi(tour: Tour) -> dict[str, Any]:
    tour.client.account_multi(ACCOUNT)
    tour.until_event("accountUpdateMultiEnd")
    return {}


def c20_positions_multi(tour: Tour) -> dict[str, Any]:
    tour.client.positions_multi(ACCOUNT)
    tour.until_event("positionMultiEnd")
    return {}


def c20_profit_and_loss(tour: Tour) -> dict[str, Any]:
    tour.client.pnl(ACCOUNT, int(tour.months[0]["contract"]["conId"]))
    tour.until("both", lambda seen: (named(seen, "pnl") and named(seen, "pnlSingle")) or errors(seen))
    return {}


def c21_positions_stream(tour: Tour) -> dict[str, Any]:
    """A push after each fill; the end of the position once, as zero."""
    con_id = float(tour.months[1]["contract"]["conId"])
    tour.client.positions()
    tour.until_event("positionEnd")
    for action in ("BUY", "SELL"):
        order_id = tour.place(market(action, 4), tour.future(1))
        tour.until_status(order_id, "Filled")
    tour.until("a zero position", lambda seen: [args for args in named(seen, "position")
                                                if args[1]["conId"] == con_id and not args[2]])
    return {"con_id": con_id}
