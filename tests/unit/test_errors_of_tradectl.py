"""What a person reads when a command fails: a sentence for what is known, and a traceback only for a bug."""

import pytest
from pymongo.errors import NetworkTimeout

from daemon.cli import __main__ as cli


def test_a_store_that_does_not_answer_is_a_sentence(monkeypatch: pytest.MonkeyPatch,
                                                    capsys: pytest.CaptureFixture[str]) -> None:
    def times_out(**_words: object) -> None:
        raise NetworkTimeout("127.0.0.1:27017: timed out")

    monkeypatch.setattr(cli.tradectl, "main", times_out)
    assert cli.run(["status"]) == 1
    assert capsys.readouterr().err == ("The store did not do what was asked: 127.0.0.1:27017: timed out. It is safe to "
                                       "call this again. See: tradectl doctor\n")


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumbles(**_words: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli.tradectl, "main", stumbles)
    with pytest.raises(ZeroDivisionError):
        cli.run(["status"])
