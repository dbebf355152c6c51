"""Who sees which data, how fresh, and how much at once."""

from pathlib import Path

import pytest
from simulated_messages import a_contract, depth, historical, market_data, real_time_bars, tick_by_tick
from simulated_record import later
from simulated_stage import Stage, kinds

from trading.broker.simulated.permissions import (
    DELAYED_OFF,
    NOT_SUBSCRIBED,
    DataKind,
    MarketLimits,
    Permissions,
    Subscription,
)
from trading.broker.simulated.refusals import Refusal

K, S = DataKind, Subscription


def a_stage(folder: Path, subscription: Subscription, limits: MarketLimits | None = None) -> Stage:
    options = {"permissions": Permissions(exchanges={"CME": subscription}), "limits": limits or MarketLimits()}
    return Stage(folder / "state", options=options)


@pytest.mark.parametrize(("subscription", "asked", "is_open", "shown"), [
    (S.SUBSCRIBED, K.LIVE, True, K.LIVE), (S.SUBSCRIBED, K.LIVE, False, K.LIVE),
    (S.SUBSCRIBED, K.FROZEN, True, K.LIVE), (S.SUBSCRIBED, K.FROZEN, False, K.FROZEN),
    (S.SUBSCRIBED, K.DELAYED, True, K.LIVE), (S.SUBSCRIBED, K.DELAYED_FROZEN, False, K.FROZEN),
    (S.DELAYED, K.LIVE, True, NOT_SUBSCRIBED), (S.DELAYED, K.FROZEN, False, NOT_SUBSCRIBED),
    (S.DELAYED, K.DELAYED, False, K.DELAYED), (S.DELAYED, K.DELAYED_FROZEN, False, K.DELAYED_FROZEN),
    (S.DELAYED, K.DELAYED_FROZEN, True, K.DELAYED),
    (S.NONE, K.LIVE, True, NOT_SUBSCRIBED), (S.NONE, K.DELAYED, True, DELAYED_OFF)])
def test_what_is_shown_follows_from_subscription_and_wish(subscription: Subscription, asked: DataKind, is_open: bool,
                                                          shown: DataKind | Refusal) -> None:
    permissions = Permissions(everywhere=S.NONE, exchanges={"CME": subscription})
    assert permissions.kind_shown("CME", asked, is_open=is_open) == shown


def test_an_exchange_without_an_entry_has_what_stands_everywhere() -> None:
    assert Permissions(everywhere=S.DELAYED, exchanges={"CME": S.NONE}).of("EUREX") is S.DELAYED


def test_delayed_data_are_announced_and_a_quarter_of_an_hour_old(tmp_path: Path) -> None:
    stage = a_stage(tmp_path, S.DELAYED)
    client = stage.a_client()
    stage.ask(client, ["59", "1", "3"])
    stage.move_to(later(24))
    heard = stage.ask(client, market_data(5, a_contract()))
    assert kinds(heard)[:3] == ["error 10167", "58", "81"]
    assert heard[1] == ("58", "1", "5", "3")
    assert {message[3]: message[4] for message in heard if message[0] == "1"} == {
        "66": "4349.87", "67": "4350.13", "68": "4350", "72": "4350", "73": "4330", "76": "4330", "75": "4329"}
    assert {message[3] for message in heard if message[0] == "2"} == {"69", "70", "71", "74"}
    assert {message[3] for message in heard if message[0] == "46"} == {"88"}
    stage.move_to(later(26))  # 12:11 of a quarter of an hour ago: the print of 12:10 is news
    assert ("1", "6", "5", "68", "4340", "1", "0") in client.take_outbox()


@pytest.mark.parametrize(("subscription", "wish", "answer"), [
    (S.DELAYED, "1", "error 354"), (S.NONE, "1", "error 354"), (S.NONE, "3", "error 10168"),
    (S.NONE, "4", "error 10168")])
def test_without_permission_there_is_an_error_and_no_line(tmp_path: Path, subscription: Subscription, wish: str,
                                                          answer: str) -> None:
    stage = a_stage(tmp_path, subscription)
    client = stage.a_client()
    stage.ask(client, ["59", "1", wish])
    assert kinds(stage.ask(client, market_data(5, a_contract()))) == [answer]
    assert client.lines == {}


@pytest.mark.parametrize(("fields", "answer"), [
    (tick_by_tick(5, a_contract(), "Last"), "error 10189"), (depth(5, a_contract()), "error 354"),
    (real_time_bars(5, a_contract()), "error 420"), (historical(5, a_contract()), "error 162")])
def test_streams_need_a_subscription_too(tmp_path: Path, fields: list[str], answer: str) -> None:
    stage = a_stage(tmp_path, S.NONE)
    assert kinds(stage.ask(stage.a_client(), fields)) == [answer]


def test_an_unknown_kind_of_data_is_refused(stage: Stage) -> None:
    assert kinds(stage.ask(stage.a_client(), ["59", "1", "7"])) == ["error 321"]


def test_lines_are_counted_over_all_clients_and_snapshots_are_free(tmp_path: Path) -> None:
    stage = a_stage(tmp_path, S.SUBSCRIBED, MarketLimits(lines=2))
    first, second = stage.a_client(1), stage.a_client(2)
    stage.ask(first, market_data(5, a_contract()))
    stage.ask(second, market_data(5, a_contract()))
    assert kinds(stage.ask(second, market_data(6, a_contract()))) == ["error 101"]
    assert kinds(stage.ask(second, market_data(6, a_contract(), snapshot="1")))[-1] == "57"
    stage.ask(first, ["2", "2", "5"])
    assert kinds(stage.ask(second, market_data(6, a_contract())))[0] == "58"


def test_an_id_in_use_is_a_duplicate(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, market_data(5, a_contract()))
    assert kinds(stage.ask(client, market_data(5, a_contract()))) == ["error 102"]


@pytest.mark.parametrize(("lines", "most"), [(100, 5), (200, 10), (3, 1)])
def test_a_twentieth_of_the_lines_may_be_tick_by_tick(lines: int, most: int) -> None:
    assert MarketLimits(lines=lines).tick_by_tick == most
