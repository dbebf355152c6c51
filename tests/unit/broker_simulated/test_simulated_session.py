"""A conversation: start, errors that do not end it, limits that do, and what the market looks like."""

import pytest
from simulated_messages import a_contract, historical, market_data
from simulated_record import later
from simulated_stage import Stage, kinds

from trading.broker.simulated.session import Session


def test_a_client_is_greeted_with_account_id_and_farm_notices(stage: Stage) -> None:
    session = Session(stage.gateway, 178)
    session.receive(["71", "2", "8", ""])
    assert kinds(session.take_outbox()) == ["15", "9", "error 2104", "error 2106", "error 2158"]


def test_a_second_client_with_the_same_id_is_turned_away(stage: Stage) -> None:
    stage.a_client(8)
    second = Session(stage.gateway, 178)
    second.receive(["71", "2", "8", ""])
    assert (kinds(second.take_outbox()), second.is_closing) == (["error 326"], True)
    assert stage.ask(stage.gateway.sessions[8], ["49", "1"])[0][0] == "49"


def test_nothing_is_answered_before_start_api(stage: Stage) -> None:
    session = Session(stage.gateway, 178)
    session.receive(["61", "1"])
    assert session.take_outbox() == []


@pytest.mark.parametrize(("fields", "answer"), [
    (["999", "1"], "error 505"), (["9", "8", "5"], "error 320"), (["20", "x"], "error 320"), ([""], "error 505"),
    (["4", "1", "one", ""], "error 320")])
def test_what_cannot_be_read_is_refused_and_the_talk_goes_on(stage: Stage, fields: list[str], answer: str) -> None:
    client = stage.a_client()
    assert kinds(stage.ask(client, fields)) == [answer]
    assert kinds(stage.ask(client, ["49", "1"])) == ["49"]


def test_the_51st_message_of_a_second_ends_the_conversation(stage: Stage) -> None:
    client = stage.a_client()
    stage.clock.monotonic_s = lambda: 100.0  # type: ignore[method-assign]  # a second that does not pass
    for _ in range(50):
        client.receive(["49", "1"])
    assert not client.is_closing
    client.receive(["49", "1"])
    assert (kinds(client.take_outbox())[-1], client.is_closing) == ("error 100", True)


def test_older_clients_get_errors_without_reject_json(stage: Stage) -> None:
    old, new = stage.a_client(1, version=157), stage.a_client(2, version=178)
    assert [len(stage.ask(client, ["2", "2", "5"])[0]) for client in (old, new)] == [5, 6]


def test_contract_details_fit_the_version(stage: Stage) -> None:
    asked = ["9", "8", "5", *a_contract(month="202112"), "0", "", ""]
    old = stage.ask(stage.a_client(1, version=157), asked)
    new = stage.ask(stage.a_client(2, version=178), [*asked, ""])
    assert [len(answer[0]) for answer in (old, new)] == [39, 40]
    assert (old[0][:2], new[0][1], new[-1]) == (("10", "8"), "5", ("52", "1", "5"))


def test_a_snapshot_ends_at_once_and_leaves_no_line(stage: Stage) -> None:
    client = stage.a_client()
    heard = stage.ask(client, market_data(5, a_contract(), snapshot="1"))
    assert kinds(heard) == ["58", "81", "1", "1", "2", "2", "1", "2", "2", "46", "1", "1", "1", "1", "57"]
    assert [message[3:5] for message in heard if message[0] == "1"] == [
        ("1", "4349.87"), ("2", "4350.13"), ("4", "4350"), ("6", "4350"), ("7", "4330"), ("14", "4330"), ("9", "4329")]
    assert client.lines == {}


def test_a_line_hears_new_prints_until_it_is_cancelled(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, market_data(5, a_contract()))
    stage.move_to(later(5))
    assert client.take_outbox() == []
    stage.move_to(later(10))
    assert ("1", "6", "5", "4", "4340", "1", "0") in client.take_outbox()
    stage.ask(client, ["2", "2", "5"])
    stage.move_to(later(20))
    assert client.take_outbox() == []


def test_a_contract_without_prices_quotes_minus_one(stage: Stage) -> None:
    heard = stage.ask(stage.a_client(), market_data(5, a_contract(symbol="ZC", exchange="CBOT", month="202206"), "1"))
    assert kinds(heard) == ["58", "81", "1", "1", "57"]
    assert [message[4:6] for message in heard if message[0] == "1"] == [("-1", "0")] * 2


def test_bars_show_nothing_of_the_future(stage: Stage) -> None:
    answer = stage.ask(stage.a_client(), historical(5, a_contract(), size="1 hour", duration="1 D"))[0]
    assert answer[0] == "17"
    assert answer[-8:] == ("20211013 13:00:00 Europe/London", "4350", "4350", "4350", "4350", "1", "4350", "1")


@pytest.mark.parametrize(("fields", "answer"), [
    (historical(5, a_contract(), end="20200101-00:00:00"), "error 162"),
    (historical(5, a_contract(), end="tomorrow"), "error 10314"),
    (historical(5, a_contract(), size="7 mins"), "error 321"),
    (historical(5, a_contract(symbol="XX")), "error 200"),
    (historical(5, a_contract(month="202109")), "error 200"),
    (historical(5, a_contract(symbol="EUR", sec_type="CASH", month="", exchange="IDEALPRO")), "error 162"),
    (market_data(5, a_contract(symbol="XX")), "error 200"),
    (["9", "8", "5", *a_contract(symbol="XX"), "0", "", "", ""], "error 200")])
def test_a_data_request_that_finds_nothing_says_why(stage: Stage, fields: list[str], answer: str) -> None:
    assert kinds(stage.ask(stage.a_client(), fields)) == [answer]


def test_the_account_subscription_lists_values_positions_time_and_end(stage: Stage) -> None:
    answer = stage.ask(stage.a_client(), ["6", "2", "1", ""])
    assert ("6", "2", "NetLiquidation", "5000000.00", "USD", "DU0000001") in answer
    assert kinds(answer)[-2:] == ["8", "54"]


def test_a_third_account_summary_is_refused(stage: Stage) -> None:
    client = stage.a_client()
    answers = [kinds(stage.ask(client, ["62", "1", str(number), "All", "NetLiquidation"])) for number in (1, 2, 3)]
    assert answers == [["63", "64"], ["63", "64"], ["error 322"]]


def test_a_market_rule_tells_the_tick_of_its_contracts(stage: Stage) -> None:
    client = stage.a_client()
    rule = stage.ask(client, ["9", "8", "5", *a_contract(), "0", "", "", ""])[0][-6]
    assert stage.ask(client, ["91", rule]) == [("93", rule, "1", "0", "0.01")]
