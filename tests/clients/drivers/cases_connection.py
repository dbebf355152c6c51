"""Coming and going: C1, C2, C7, C19, C27, C28, C31, C32."""

from typing import Any

from tour import ACCOUNT, FARMS, OURS, Tour, errors, limit, market, named


def c01_connect(tour: Tour) -> dict[str, Any]:
    seconds = tour.connect()
    tour.until("three farm notices", lambda seen: {args[1] for args in named(seen, "error")} >= set(FARMS))
    return {"version": tour.client.version, "seconds": seconds}


def c02_startup_sync(tour: Tour) -> dict[str, Any]:
    """The libraries have done it while they connected; the official clients ask here, as those do."""
    if tour.client.is_library:
        tour.mark = 0
    else:
        _ask_for_everything(tour)
    return {}


def _ask_for_everything(tour: Tour) -> None:
    client = tour.client
    client.positions()
    client.open_orders()
    client.completed()
    client.account_updates(ACCOUNT)
    client.account_multi(ACCOUNT)
    tour.until_event("positionEnd", "openOrderEnd", "completedOrdersEnd", "accountDownloadEnd",
                     "accountUpdateMultiEnd")
    client.executions()
    tour.until_event("execDetailsEnd")


def c07_client_id_in_use(tour: Tour) -> dict[str, Any]:
    with tour.another(OURS) as second:
        second.recorder.until(0, lambda seen: errors(seen, 326))
        codes = [args[1] for args in errors(second.recorder.events)]
        second.recorder.until(0, lambda _seen: not second.is_connected, 1.0)
        return {"codes": codes, "is_connected": second.is_connected}


def c19_small_questions(tour: Tour) -> dict[str, Any]:
    client = tour.client
    client.head_timestamp(tour.future())
    client.market_rule(int(tour.months[0]["marketRuleIds"].split(",")[0]))
    client.current_time()
    client.req_ids()
    tour.until_event("headTimestamp", "marketRule", "currentTime", "nextValidId")
    return {"now": tour.control("clock")["now"]}


def c19_matching_symbols(tour: Tour) -> dict[str, Any]:
    tour.client.matching_symbols("AL")
    tour.until_event("symbolSamples")
    return {}


def c27_bursts_of_4096_bytes(tour: Tour) -> dict[str, Any]:
    """Refusals that name the order type: its length decides about the length of the answer."""
    around = range(4096 - 200, 4096 - 40)
    sent = {}
    for size in [*around[::4], *(4096 + length for length in around[::16])]:
        sent[tour.place({**market("BUY", 1), "orderType": "X" * size})] = size
    tour.until_error(387, len(sent))
    return {"sent": len(sent)}


def c28_text_outside_ascii(tour: Tour) -> dict[str, Any]:
    text = "Größe – 日経 \\u0041"
    tour.control("fault", kind="refuse", request="reqContractDetails", code=200, text=text)
    tour.client.contract_details(tour.future())
    tour.until_error(200)
    return {"text": text}


def c31_before_the_restart(tour: Tour) -> dict[str, Any]:
    filled = tour.place(market("BUY", 2, orderRef="before"))
    tour.until("a commission", lambda seen: named(seen, "commissionReport"))
    resting = tour.place(limit("BUY", 1, tour.price, orderRef="resting"))
    tour.until_status(resting, "Submitted")
    tour.client.executions()
    tour.until_event("execDetailsEnd")
    return {"filled": filled, "resting": resting, "next": tour.client.new_order_id()}


def c31_after_the_restart(tour: Tour) -> dict[str, Any]:
    tour.connect()
    client = tour.client
    first_id = int(named(tour.seen, "nextValidId")[0][0])
    client.all_open_orders()
    client.executions()
    client.positions()
    client.completed()
    tour.until_event("openOrderEnd", "execDetailsEnd", "positionEnd", "completedOrdersEnd")
    return {"next": first_id}


def c32_midnight(tour: Tour) -> dict[str, Any]:
    tour.control("clock", forward_s=86_400)
    client = tour.client
    client.executions()
    client.completed()
    client.positions()
    tour.until_event("execDetailsEnd", "completedOrdersEnd", "positionEnd")
    return {}
