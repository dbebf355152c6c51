"""Other people's clients, unmodified, against our simulated gateway: the conformance cases C1 to C35 by name. C26 and
C35 come from a socket of our own, in test_raw_socket.py.

`tour.case` fails when the client complained, waited in vain or heard an error that the case does not expect.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from client_table import AT_200, KNOW_SCHEDULES, OFFICIAL
from tour_report import TourReport

pytestmark = pytest.mark.clients

official_only = pytest.mark.parametrize("tour", OFFICIAL, ids=str, indirect=True)


def test_no_field_is_left_over(tour: TourReport) -> None:
    assert "left over" not in tour.log
    assert "Traceback" not in tour.log


def test_c01_connect(tour: TourReport) -> None:
    report = tour.case("c01_connect")
    assert report.facts["version"] == tour.client.version
    assert report.facts["seconds"] < 1.0
    assert [args[0].rstrip(",") for args in report.named("managedAccounts")] == ["DU0000001"]
    assert [args[1] for args in report.named("error")] == [2104, 2106, 2158]


@pytest.mark.parametrize("end", ["positionEnd", "openOrderEnd", "completedOrdersEnd", "accountDownloadEnd",
                                 "accountUpdateMultiEnd", "execDetailsEnd"])
def test_c02_startup_sync(tour: TourReport, end: str) -> None:
    assert len(tour.case("c02_startup_sync").named(end)) == 1


def test_c03_market_order(tour: TourReport) -> None:
    report = tour.case("c03_market_order")
    order_id = report.facts["order"]
    execution, = report.executions(order_id)
    assert report.statuses(order_id)[-1] == "Filled"
    assert (execution["shares"], execution["cumQty"], execution["orderRef"]) == (2.0, 2.0, "C3")
    assert execution["clientId"] == 8.0
    assert execution["permId"] > 0
    assert {echo["orderRef"] for echo in report.echoes(order_id)} == {"C3"}
    assert report.commissions() == [execution["execId"]]
    assert [args[2] for args in report.named("position")] == [2.0]


def test_c04_place_modify_cancel(tour: TourReport) -> None:
    report = tour.case("c04_place_modify_cancel", codes=(202,))
    echoes = report.echoes(report.facts["order"])
    assert [echoes[0]["lmtPrice"], echoes[-1]["lmtPrice"]] == [100.0, 100.25]
    assert len({echo["permId"] for echo in echoes}) == 1
    statuses = report.statuses(report.facts["order"])
    assert "Submitted" in statuses
    assert statuses[-2:] == ["PendingCancel", "Cancelled"]
    assert report.codes == [202]


def test_c05_every_kind_of_order(tour: TourReport) -> None:
    report = tour.case("c05_every_kind_of_order", codes=(202,))
    ids = report.facts["ids"]
    kinds = {name: report.echoes(order_id)[0]["orderType"] for name, order_id in ids.items()}
    assert {name: kind for name, kind in kinds.items() if not name.startswith(kind)} == {
        "GTD": "LMT", "OCA": "LMT", "condition": "LMT", "IOC": "LMT", "outside hours": "LMT"}
    assert {report.statuses(order_id)[-1] for order_id in ids.values()} == {"Cancelled"}
    assert report.echoes(ids["STP LMT"])[0]["auxPrice"] == 9000.0
    assert report.echoes(ids["OCA"])[0]["ocaGroup"] == "c05"
    assert len(report.echoes(ids["condition"])[0]["conditions"]) == 1


def test_c06_contract_details(tour: TourReport) -> None:
    facts = tour.case("c06_contract_details", codes=(200,)).facts
    assert facts["by_symbol"] == ["ALU3", "ALZ3"]
    assert facts["by_month"] == facts["by_local_symbol"] == facts["by_con_id"] == ["ALU3"]
    assert facts["unknown"] == []
    assert facts["expired"][-2:] == ["ALU3", "ALZ3"]
    assert len(facts["expired"]) > 2
    first = facts["first"]
    assert (first["contractMonth"], first["contract"]["multiplier"], first["timeZoneId"]) == ("202309", "50",
                                                                                             "Europe/London")
    assert first["tradingHours"].startswith("20230620:0000-20230620:2359;")


def test_c06_ambiguous_multiplier(tour: TourReport) -> None:
    report = tour.case("c06_ambiguous_multiplier", codes=(200, 202))
    assert [args[:2] for args in report.named("error")] == [[report.facts["refused"], 200],
                                                            [report.facts["named"], 202]]
    assert "ambiguous" in report.named("error")[0][2]
    assert sorted(report.facts["both"]) == ["2", "20"]
    assert report.facts["one"] == ["2"]
    assert report.echoes(report.facts["named"])


def test_c06_expired(tour: TourReport) -> None:
    report = tour.case("c06_expired", codes=(200,))
    assert report.codes == [200]
    assert report.facts["without"] == 0
    assert report.facts["included"] == [report.facts["month"]]
    assert report.facts["month"] < "202306"


def test_c07_client_id_in_use(tour: TourReport) -> None:
    facts = tour.case("c07_client_id_in_use").facts
    assert facts["codes"] == [326]
    assert not facts["is_connected"]


def test_c08_who_sees_which_order(tour: TourReport) -> None:
    facts = tour.case("c08_who_sees_which_order", codes=(202,)).facts
    assert set(facts["open_orders"]) == {"ours"}
    assert set(facts["all_open_orders"]) == {"ours", "theirs"}


def test_c09_cancel_another_clients_order(tour: TourReport) -> None:
    report = tour.case("c09_cancel_another_clients_order", codes=(202, 10147))
    assert report.facts["theirs_cancelled"]
    assert report.codes == [10147, 202]


def test_c10_executions_after_reconnect(tour: TourReport) -> None:
    facts = tour.case("c10_executions_after_reconnect").facts
    assert set(facts["live"]) <= set(facts["found"])
    assert sorted(facts["commissions"]) == sorted(facts["found"])
    assert len(set(facts["req_ids"])) == 1
    assert facts["req_ids"][0] > 0


def test_c11_completed_orders(tour: TourReport) -> None:
    report = tour.case("c11_completed_orders")
    _, order, state = next(args for args in report.named("completedOrder") if args[1].get("orderRef") == "C11")
    assert (order.get("totalQuantity", 0.0), order["filledQuantity"]) == (0.0, 1.0)
    assert order.get("orderId", 0.0) == 0.0
    assert order["permId"] > 0
    assert (state["status"], state["completedStatus"]) == ("Filled", "Filled Size: 1")


def test_c12_partial_fills(tour: TourReport) -> None:
    report = tour.case("c12_partial_fills")
    fills = report.executions(report.facts["order"])
    sizes = [fill["shares"] for fill in fills]
    assert len(fills) > 1
    assert sum(sizes) == 150.0
    assert [fill["cumQty"] for fill in fills] == [sum(sizes[:count + 1]) for count in range(len(sizes))]
    paid = sum(fill["shares"] * fill["price"] for fill in fills)
    assert fills[-1]["avgPrice"] == pytest.approx(paid / 150.0, abs=1e-6)
    assert {fill["execId"] for fill in fills} <= set(report.commissions())
    assert len(report.commissions()) == len(set(report.commissions()))
    for args in report.named("orderStatus"):
        if args[0] == report.facts["order"]:
            assert args[2] + args[3] == 150.0


@pytest.mark.parametrize(("case", "code", "statuses"), [
    ("c13_margin", 201, ["Inactive"]), ("c13_tick", 110, []), ("c13_unknown_contract", 200, []),
    ("c13_missing_exchange", 321, [])])
def test_c13_refused(tour: TourReport, case: str, code: int, statuses: list[str]) -> None:
    report = tour.case(case, codes=(code,))
    assert report.codes == [code]
    assert [each for each in report.facts["statuses"] if each != "PendingSubmit"] == statuses


def test_c13_tick_of_a_band(tour: TourReport) -> None:
    report = tour.case("c13_tick_of_a_band", codes=(110, 202))
    assert report.codes == [202, 110]
    assert report.echoes(report.facts["rests"])[0]["lmtPrice"] == 80.05


def test_c13_used_id(tour: TourReport) -> None:
    assert tour.case("c13_used_id", codes=(103, 202)).codes == [202, 103]


def test_c13_no_time_in_force(tour: TourReport) -> None:
    report = tour.case("c13_no_time_in_force", codes=(202, 10349))
    assert report.codes == [10349, 202]
    assert report.echoes(report.facts["order"])[0]["tif"] == "DAY"


@pytest.mark.parametrize(("case", "codes"), [
    ("c14_cancel_a_filled_order", [161]), ("c14_cancel_an_unknown_order", [10147]),
    ("c14_cancel_twice", [202, 10148])])
def test_c14_cancel_in_vain(tour: TourReport, case: str, codes: list[int]) -> None:
    assert tour.case(case, codes=tuple(codes)).codes == codes


def test_c15_market_data(tour: TourReport) -> None:
    report = tour.case("c15_market_data")
    quotes = {args[1]: args[2] for args in report.named("tickPrice")}
    assert 0 < quotes[1] < quotes[2]
    names = [each["name"] for each in report.events]
    assert names.index("marketDataType") < names.index("tickPrice")


def test_c15_snapshot(tour: TourReport) -> None:
    report = tour.case("c15_snapshot")
    assert {1.0, 2.0} <= {args[1] for args in report.named("tickPrice")}
    assert len(report.named("tickSnapshotEnd")) == 1


def test_c15_spread(tour: TourReport) -> None:
    assert {1.0, 2.0} <= {args[1] for args in tour.case("c15_spread").named("tickPrice")}


@official_only
def test_c16_a_line_too_many(tour: TourReport) -> None:
    report = tour.case("c16_a_line_too_many", codes=(101,))
    assert [args[0] for args in report.named("error")] == [report.facts["last"]]
    assert len({args[0] for args in report.named("tickPrice")}) == 100


def test_c17_daily_bars(tour: TourReport) -> None:
    days = [args[1]["date"] for args in tour.case("c17_daily_bars").named("historicalData")]
    assert len(days) == 10
    assert (days[0], days[-1]) == ("20230607", "20230620")


def test_c17_hourly_bars(tour: TourReport) -> None:
    stamps = [args[1]["date"] for args in tour.case("c17_hourly_bars").named("historicalData")]
    zoned = tour.client.version >= 174
    assert stamps[0] == ("20230619 09:00:00 Europe/London" if zoned else "20230619  09:00:00")


def test_c17_epoch_bars(tour: TourReport) -> None:
    assert tour.case("c17_epoch_bars").named("historicalData")[0][1]["date"] == "1687161600"


def test_c17_bid_ask_bars(tour: TourReport) -> None:
    assert tour.case("c17_bid_ask_bars").named("historicalData")


@pytest.mark.parametrize("tour", KNOW_SCHEDULES, ids=str, indirect=True)
def test_c17_schedule(tour: TourReport) -> None:
    assert tour.case("c17_schedule").named("historicalSchedule")


def test_c17_bars_that_go_on(tour: TourReport) -> None:
    report = tour.case("c17_bars_that_go_on", codes=(162,))  # the cancel is told so
    update = report.named("historicalDataUpdate")[0][1]
    assert update["low"] <= update["close"] <= update["high"]


def test_c18_no_data(tour: TourReport) -> None:
    assert tour.case("c18_no_data", codes=(162,)).codes == [162]


@official_only
def test_c18_bad_end(tour: TourReport) -> None:
    assert tour.case("c18_bad_end", codes=(10314,)).codes == [10314]


@official_only
def test_c18_duplicate_id(tour: TourReport) -> None:
    assert tour.case("c18_duplicate_id", codes=(386, 162)).codes[:1] == [386]


def test_c19_small_questions(tour: TourReport) -> None:
    report = tour.case("c19_small_questions")
    rule, = report.named("marketRule")
    assert rule[1][0]["increment"] == 0.01
    assert report.named("headTimestamp")[0][1]
    assert report.named("nextValidId")[0][0] > 0


def test_c19_matching_symbols(tour: TourReport) -> None:
    assert tour.case("c19_matching_symbols").named("symbolSamples")


def test_c19_market_rule_of_several_bands(tour: TourReport) -> None:
    report = tour.case("c19_market_rule_of_several_bands")
    rule, = report.named("marketRule")
    assert [(band.get("lowEdge", 0.0), band["increment"]) for band in rule[1]] == [(0.0, 0.05), (90.0, 0.25)]
    assert report.facts["least"] == 0.05


def test_c20_account_updates(tour: TourReport) -> None:
    report = tour.case("c20_account_updates")
    assert len(report.named("updatePortfolio")) > report.facts["before"]


def test_c20_account_summary(tour: TourReport) -> None:
    rows = {args[2]: args[3] for args in tour.case("c20_account_summary").named("accountSummary")}
    assert float(rows["NetLiquidation"]) > 0


def test_c20_account_updates_multi(tour: TourReport) -> None:
    report = tour.case("c20_account_updates_multi")
    assert "NetLiquidation" in {args[3] for args in report.named("accountUpdateMulti")}
    assert len(report.named("accountUpdateMultiEnd")) == 1


def test_c20_positions_multi(tour: TourReport) -> None:
    assert tour.case("c20_positions_multi").named("positionMulti")


def test_c20_profit_and_loss(tour: TourReport) -> None:
    report = tour.case("c20_profit_and_loss")
    assert report.named("pnl")
    assert report.named("pnlSingle")


def test_c21_positions_stream(tour: TourReport) -> None:
    report = tour.case("c21_positions_stream")
    assert report.positions(report.facts["con_id"]) == [4.0, 0.0]


def test_c22_what_if(tour: TourReport) -> None:
    report = tour.case("c22_what_if")
    assert report.facts["before"] == report.facts["after"]
    assert report.named("orderStatus") == []
    state = report.named("openOrder")[0][3]
    assert float(state["initMarginChange"]) > 0
    assert state["status"] == "PreSubmitted"


def test_c23_roll_order(tour: TourReport) -> None:
    report = tour.case("c23_roll_order")
    rows = report.named("execDetails")
    whole, near, far = (args[2] for args in rows)
    assert [args[1]["secType"] for args in rows] == ["BAG", "FUT", "FUT"]
    assert [args[1]["conId"] for args in rows[1:]] == report.facts["legs"]
    assert (near["side"], far["side"]) == ("SLD", "BOT")
    assert whole["price"] == pytest.approx(far["price"] - near["price"])
    assert report.commissions() == [near["execId"], far["execId"]]
    assert report.positions(report.facts["legs"][1])[-1] == 1.0


def test_c24_adaptive(tour: TourReport) -> None:
    report = tour.case("c24_adaptive", codes=(202,))
    echo = report.echoes(report.facts["order"])[0]
    assert echo["algoStrategy"] == "Adaptive"
    assert [(each["tag"], each["value"]) for each in echo["algoParams"]] == [("adaptivePriority", "Patient")]


def test_c25_bracket(tour: TourReport) -> None:
    report = tour.case("c25_bracket", codes=(202,))
    assert "Submitted" not in report.facts["before"]
    assert {echo["parentId"] for child in report.facts["children"] for echo in report.echoes(child)} == {
        report.facts["parent"]}
    assert [report.statuses(child)[-1] for child in report.facts["children"]] == ["Cancelled", "Cancelled"]


def test_c25_one_cancels_all(tour: TourReport) -> None:
    report = tour.case("c25_one_cancels_all", codes=(202,))
    assert report.statuses(report.facts["fills"])[-1] == "Filled"
    assert report.statuses(report.facts["rests"])[-1] == "Cancelled"


def test_c27_bursts_of_4096_bytes(tour: TourReport) -> None:
    report = tour.case("c27_bursts_of_4096_bytes", codes=(387,))
    assert len(report.codes) == report.facts["sent"]


def test_c28_text_outside_ascii(tour: TourReport) -> None:
    report = tour.case("c28_text_outside_ascii", codes=(200,))
    text = next(args[2] for args in report.named("error") if args[1] == 200)
    decoded = text.encode().decode("unicode-escape") if tour.client.library else text  # those leave it to the user
    assert decoded == report.facts["text"]


def test_c29_sizes(tour: TourReport) -> None:
    """9.81 ends its reader at a size like 1.5 or 5.0: it is still there, and heard sizes."""
    sizes = [args[2] for args in tour.case("c15_market_data").named("tickSize")]
    assert sizes
    assert all(size == int(size) for size in sizes)


def test_c30_execution_times_name_their_zone(tour: TourReport) -> None:
    report = tour.case("c03_market_order")
    time = report.executions(report.facts["order"])[0]["time"]
    zoned = time.endswith("+00:00") if tour.client.library else time.endswith(" Europe/London")
    assert zoned == (tour.client.version >= 174)


@pytest.mark.parametrize(("style", "written", "read"), [
    ("ZONE", "%Y%m%d %H:%M:%S Europe/London", timedelta(0)), ("UTC_DASH", "%Y%m%d-%H:%M:%S", timedelta(0)),
    ("NO_ZONE", "%Y%m%d  %H:%M:%S", timedelta(hours=1))])
def test_c30_execution_times(tour: TourReport, style: str, written: str, read: timedelta) -> None:
    """The libraries run in UTC here and take a time without a zone for theirs: what London writes is an hour off."""
    facts = tour.case("c30_execution_times").facts
    happened = datetime.fromisoformat(facts["happened"][style]).replace(microsecond=0)
    if tour.client.library:
        assert datetime.fromisoformat(facts["told"][style]) == happened + read
    else:
        zone = UTC if style == "UTC_DASH" else ZoneInfo("Europe/London")
        assert facts["told"][style] == f"{happened.astimezone(zone):{written}}"


def test_c31_restart(tour: TourReport) -> None:
    before, after = tour.case("c31_before_the_restart"), tour.case("c31_after_the_restart")
    perm_ids = {args[2]["permId"] for args in before.named("openOrder") if args[2].get("orderRef") == "resting"}
    found = {args[2]["permId"] for args in after.named("openOrder") if args[2].get("orderRef") == "resting"}
    assert found == perm_ids
    assert {args[2]["execId"] for args in before.named("execDetails")} <= {
        args[2]["execId"] for args in after.named("execDetails")}
    assert after.facts["next"] > before.facts["resting"]
    assert "before" in {args[1].get("orderRef") for args in after.named("completedOrder")}


def test_c32_midnight(tour: TourReport) -> None:
    report = tour.case("c32_midnight")
    assert report.named("execDetails") == []
    assert report.named("completedOrder") == []
    assert report.named("position")


def test_c33_read_only(tour: TourReport) -> None:
    report = tour.case("c33_read_only", codes=(202, 321))
    facts = report.facts
    refusals = [args for args in report.named("error") if args[1] == 321]
    assert [args[0] for args in refusals] == [facts["refused"], facts["resting"], -1, -1]
    assert all("Read-Only mode" in args[2] for args in refusals)
    assert facts["shown"] == ["C33"]
    assert facts["is_connected"]
    assert report.statuses(facts["resting"])[-1] == "Cancelled"
    assert report.echoes(facts["refused"]) == []


@pytest.mark.parametrize("tour", AT_200, ids=str, indirect=True)
def test_c34_the_last_version_of_text(tour: TourReport) -> None:
    times = [args[3] for args in tour.case("c14_cancel_an_unknown_order", codes=(10147,)).named("error")]
    assert all(time > 1_600_000_000_000 for time in times)
    assert tour.case("c17_daily_bars").named("historicalDataEnd")[0][1]
