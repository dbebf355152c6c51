"""The way to the Flex Web Service, over a real socket to one of ours: patient where that helps, plain where not."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flex_server import TOKEN, FlexServer, ordered, refusal
from statement_files import a_row, activity

from trading.broker.ib.statement_service import (
    Patience,
    StatementNotReady,
    StatementRefused,
    StatementService,
    read_token,
)
from trading.errors import ConfigError, StopRequested


@pytest.fixture
def server() -> Iterator[FlexServer]:
    with FlexServer().serving() as serving:
        yield serving


class Waits:
    """How long the service waited, in turn."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, delay_s: float) -> None:
        self.seconds.append(delay_s)


def a_service(server: FlexServer, waits: Waits | None = None) -> StatementService:
    return StatementService(url=server.url, query="77", token=TOKEN, wait=waits or Waits(),
                            patience=Patience(attempts=4, pause_s=15, timeout_s=0.3))


def test_a_statement_is_ordered_then_fetched(server: FlexServer) -> None:
    report = activity(a_row())
    server.answers = [ordered(server.url), report]
    assert a_service(server).fetch() == report.encode()
    assert server.asked == [("/flex/SendRequest", {"t": TOKEN, "q": "77", "v": "3"}),
                            ("/flex/GetStatement", {"t": TOKEN, "q": "1234567890", "v": "3"})]


@pytest.mark.parametrize("later", [
    refusal(1019, "Statement generation in progress. Please try again shortly."),
    refusal(1018, "Too many requests have been made from this token."), refusal(1009, "Heavy load."), 503, 429, None],
    ids=["in progress", "too many", "load", "503", "429", "silence"])
def test_what_passes_is_waited_for(server: FlexServer, later: str | int | None) -> None:
    server.answers, waits = [later, ordered(server.url), later, later, activity()], Waits()
    assert a_service(server, waits).fetch() == activity().encode()
    assert waits.seconds == [15, 15, 15]


def test_what_does_not_pass_ends_after_so_many_times(server: FlexServer) -> None:
    server.answers = [ordered(server.url), refusal(1019, "Statement generation in progress.")]
    with pytest.raises(StatementNotReady, match=r"no statement \(code 1019: Statement generation in progress.\): "):
        a_service(server).fetch()
    assert len(server.asked) == 1 + 4


def test_whoever_is_asked_to_stop_waits_no_longer(server: FlexServer) -> None:
    def stop(_delay_s: float) -> None:
        raise StopRequested("stopped at a checkpoint, as asked")

    server.answers = [refusal(1019, "Statement generation in progress.")]
    with pytest.raises(StopRequested):
        StatementService(url=server.url, query="77", token=TOKEN, wait=stop).fetch()
    assert len(server.asked) == 1


@pytest.mark.parametrize(("answer", "words"), [
    (refusal(1012, "Token has expired."), r"\(code 1012: Token has expired.\): the token has expired. Make a new one"),
    (refusal(1015, "Token is invalid."), "the token is not valid. Make a new one"),
    (refusal(1014, "Query is invalid."), "it knows no such query. broker.statements.query is the number"),
    (refusal(1003, "Statement is not available."), "the statement is not available. Is there one for the period"),
    (refusal(1013, "IP restriction."), "this machine's address may not use the token"),
    (refusal(9999, "Something new."), r"\(code 9999: Something new.\): look for the code"),
    (refusal(1020, f"t={TOKEN} is strange"), r"t=\(token\) is strange"),
    ("<html><body>Please log in</body></html>", "answers with <html>, which is no statement"),
    ("no xml at all", "The answer of the statement service cannot be read"),
    ("", "The answer of the statement service cannot be read"),
    ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "defines a document type"),
    (ordered("https://elsewhere.example"), "names an address at elsewhere.example, which is not the broker's"),
    (ordered("http://www.interactivebrokers.com"), "the token is not sent there"),
    (404, "answers 404 with 0 bytes, which is no statement"), (302, "answers 302 with 0 bytes")])
def test_what_does_not_help_to_ask_again_is_a_sentence_at_once(server: FlexServer, answer: str | int,
                                                               words: str) -> None:
    server.answers = [answer]
    with pytest.raises(StatementRefused, match=words) as refused:
        a_service(server).fetch()
    assert len(server.asked) == 1
    assert TOKEN not in str(refused.value)


def test_nobody_there_is_said_without_the_address(server: FlexServer) -> None:
    service = StatementService(url="http://127.0.0.1:1/flex", query="77", token=TOKEN, wait=Waits(),
                               patience=Patience(attempts=2))
    with pytest.raises(StatementNotReady) as refused:
        service.fetch()
    assert str(refused.value) == ("The statement service at 127.0.0.1 does not answer (ConnectionRefusedError). "
                                  "Run this again later.")


def test_the_token_is_read_from_a_file_of_the_service_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "flex_token"
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o600)
    assert read_token(str(file)) == TOKEN
    monkeypatch.setenv("TRADINGD_FLEX_TOKEN", TOKEN)
    assert read_token(None) == TOKEN


@pytest.mark.parametrize(("text", "mode", "words"), [
    (TOKEN, 0o604, "Everybody can read the token in .*flex_token. Run: chmod o-r"),
    ("", 0o600, "no token for it: set broker.statements.token_file"),
    (f"token={TOKEN}", 0o600, "is no token: it must be letters and digits"),
    ("1\r\nHost: other", 0o600, "is no token"), (None, 0, r"cannot be read: FileNotFoundError. Create the file")])
def test_a_token_that_is_none_is_said_without_it(tmp_path: Path, text: str | None, mode: int, words: str) -> None:
    file = tmp_path / "flex_token"
    if text is not None:
        file.write_text(text)
        file.chmod(mode)
    with pytest.raises(ConfigError, match=words) as refused:
        read_token(str(file))
    assert TOKEN not in str(refused.value)
