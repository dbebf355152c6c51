"""tradectl backtest: what cannot be done is said before anything is computed."""

from pathlib import Path

import pytest

from daemon.cli.__main__ import run
from trading.shipped import shipped_folder


def refused(capfd: pytest.CaptureFixture[str], folder: Path, *words: str) -> tuple[int, str]:
    code = run(["--config", str(shipped_folder()), "--state", str(folder / "state"), "backtest", *words])
    return code, capfd.readouterr().err


def test_a_page_that_cannot_be_written_is_refused_first(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = tmp_path / "missing" / "page.html"
    code, said = refused(capfd, tmp_path, "example", "--html", str(page))
    assert code == 2
    assert said == (f"The page cannot be written to {page}: the folder is missing, or you may not write there. Name "
                    f"another file.\n")
    assert not (tmp_path / "state").exists()


def test_an_unknown_strategy_and_a_store_without_prices_are_named(capfd: pytest.CaptureFixture[str],
                                                                 tmp_path: Path) -> None:
    assert refused(capfd, tmp_path, "nope") == (
        2, f"There is no strategy nope in {shipped_folder()}/strategies (there: example).\n")
    code, said = refused(capfd, tmp_path, "example")
    assert code == 1
    assert said.startswith("No instrument has an account: there are no prices. Import prices: tradectl import")
