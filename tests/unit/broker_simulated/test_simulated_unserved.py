"""Whatever else a client may ask: an answer, or a refusal that names the request; silence only for cancels."""

import pytest
from simulated_record import later
from simulated_stage import Stage, kinds


@pytest.mark.parametrize(("fields", "req_id"), [
    (["22", "7", "10", "FUT"], "7"), (["24", "1"], "-1"), (["12", "1", "1"], "-1"), (["18", "1", "1"], "-1"),
    (["19", "1", "1", "<xml/>"], "-1"), (["52", "2", "7", "0"], "7"), (["67", "1", "7"], "7"),
    (["68", "1", "7", "3"], "7"), (["69", "1", "7", "8314"], "7"), (["84", "7", "BZ", "BZ$1", ""], "7"),
    (["86", "7", "8314", "BZ", "", "", "10", ""], "7"), (["100", "7"], "7"), (["102", "7", "8314"], "7"),
    (["21", "2", "7"], "7"), (["54", "3", "7"], "7"), (["55", "3", "7"], "7"), (["65", "1", "api", "1"], "-1")])
def test_what_is_not_served_is_refused_by_name(stage: Stage, fields: list[str], req_id: str) -> None:
    refused, = stage.ask(stage.a_client(), fields)
    assert refused[2:4] == (req_id, "321")
    assert "not available from this gateway" in refused[4]


@pytest.mark.parametrize(("fields", "answer"), [
    (["79", "7"], ("77", "7", "0")), (["80"], ("78", "0")), (["85"], ("85", "0")),
    (["83", "7", "9c0001"], ("82", "7", "0")),
    (["78", "7", "ES", "CME", "FUT", "1"], ("76", "7")), (["104", "7"], ("107", "7", ""))])
def test_what_there_is_none_of_is_an_empty_list(stage: Stage, fields: list[str], answer: tuple[str, ...]) -> None:
    assert stage.ask(stage.a_client(), fields) == [answer]


@pytest.mark.parametrize("fields", [["13", "1"], ["23", "1", "7"], ["53", "1", "7"], ["56", "1", "7"],
                                    ["57", "1", "7"], ["70", "1", "7"], ["89", "7"], ["90", "7"], ["101", "7"],
                                    ["103", "7"], ["14", "1", "5"]])
def test_a_cancel_of_nothing_is_not_answered(stage: Stage, fields: list[str]) -> None:
    assert stage.ask(stage.a_client(), fields) == []


@pytest.mark.parametrize(("fields", "req_id"), [
    (["97", "7", "x"], "7"), (["10", "5", "7", "x"], "7"), (["96", "7"], "7"), (["92", "7"], "7"), (["81", "7"], "7"),
    (["88", "7", "x"], "7"), (["50", "3", "7", "x"], "7"), (["74", "1", "7"], "7"), (["94", "7", "A", "", "x"], "7")])
def test_a_broken_message_is_refused_with_its_id(stage: Stage, fields: list[str], req_id: str) -> None:
    refused, = stage.ask(stage.a_client(), fields)
    assert refused[2:4] == (req_id, "320")


def test_symbols_are_found_by_beginning_and_by_name(stage: Stage) -> None:
    client = stage.a_client()
    first, = stage.ask(client, ["81", "5", "e"])
    assert (first[2], first[4::8]) == ("2", ("ES", "EUR"))
    stage.clock.elapsed_s += 1.0
    named, = stage.ask(client, ["81", "6", "s&p"])
    assert (named[2], named[4]) == ("1", "ES")
    stage.clock.elapsed_s += 1.0
    assert stage.ask(client, ["81", "7", "NOTHING"]) == [("79", "7", "0")]


def test_symbols_may_be_searched_once_a_second(stage: Stage) -> None:
    client = stage.a_client()
    answers = [kinds(stage.ask(client, ["81", str(number), "ES"])) for number in (5, 6)]
    assert answers == [["79"], ["error 322"]]
    stage.clock.elapsed_s += 1.0
    assert kinds(stage.ask(client, ["81", "7", "ES"])) == ["79"]
    assert later(0) == stage.clock.now()
