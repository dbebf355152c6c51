"""O38: a contract that is held ends overnight; what the broker settled is booked as that, and nothing is traded for it.

The gateway's clock goes to the day after the end of the first contract; it is written into our contracts that this day
is over.
"""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from trading_scene import TradingScene

from trading.data.mongo.books import MongoBooks
from trading.execution.adjustments import AdjustmentKind

LONDON = ZoneInfo("Europe/London")


def test_o38_what_was_settled_overnight_is_booked_and_nothing_is_traded_for_it(scene: TradingScene) -> None:
    # given positions, some of them in contracts that end on the same day, before all others
    contracts, held = scene.store().database.contracts, scene.books()
    rows = {row["details"]["con_id"]: row for row in contracts.find({"details.con_id": {"$in": list(held)}})}
    ends = min(row["details"]["last_trade_date"] for row in rows.values())
    ended = {con_id: row["_id"] for con_id, row in rows.items() if row["details"]["last_trade_date"] == ends}
    sent = len(scene.gateway.state_of()["orders"])

    # when that day is over, and the broker has settled them
    after = date.fromisoformat(ends) + timedelta(days=1)
    scene.gateway.clock(to=datetime.combine(after, time(12), LONDON).isoformat())
    assert scene.theirs() == {con_id: lots for con_id, lots in held.items() if con_id not in ended}
    yesterday = f"{date.fromisoformat(scene.trading_day()) - timedelta(days=1):%Y%m%d}"
    contracts.update_many({"_id": {"$in": list(ended.values())}}, {"$set": {"details.last_trade_date": yesterday}})
    run = scene.settle()

    # then our books hold the same, each end is an adjustment of its own, and no order was sent
    assert run["state"] == "FINISHED"
    assert (scene.books(), scene.locks()) == (scene.theirs(), {})
    booked = [each for each in MongoBooks(scene.store()).adjustments() if each.kind is AdjustmentKind.EXPIRY]
    assert {entry.contract: entry.lots for each in booked for entry in each.entries} == {
        key: -held[con_id] for con_id, key in ended.items()}
    assert len(scene.gateway.state_of()["orders"]) == sent
