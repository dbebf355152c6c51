"""What a person reads when a command fails: a sentence for what is known, and a traceback only for a bug."""

from pathlib import Path

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


@pytest.mark.parametrize(("words", "said"), [
    ("frobnicate", "No such command 'frobnicate'. See: tradectl --help"),
    ("status --nonsense", "No such option '--nonsense'. See: tradectl status --help"),
    ("trade buy ALPHA", "Missing argument 'LOTS'. See: tradectl trade buy --help"),
    ("trade buy ALPHA -1", "-1 is no option, and a number in this place is never negative. "
                           "See: tradectl trade buy --help"),
    ("halt --level k9", "Invalid value for '--level': 'k9' is not one of 'no-new-risk', 'halt', 'sever'. "
                        "See: tradectl halt --help")])
def test_wrong_words_are_one_sentence_that_says_where_the_right_ones_stand(
        words: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(words.split()) == 2
    assert capsys.readouterr().err == f"{said}\n"


@pytest.mark.parametrize("words", ["status", "positions", "doctor"])
def test_a_state_directory_that_is_none_is_a_sentence(words: str, tmp_path: Path,
                                                      capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert cli.run(["--state", str(tmp_path / "file" / "var"), words]) in (1, 2)
    told = capsys.readouterr()
    assert "cannot be used: Not a directory" in told.out + told.err
