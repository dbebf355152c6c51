"""How orders are worked, from the configuration to the algo; what it says of volume is within bounds."""

from decimal import Decimal
from pathlib import Path

import pytest

from processes.run_stack_handler import manners
from trading.config import Config, load_config
from trading.errors import ConfigError
from trading.execution.order_states import ExecutionStyle

S = ExecutionStyle


def configured(folder: Path, *lines: str, mode: str = "paper") -> Config:
    text = "".join(f"  {line}\n" for line in lines)
    (folder / "tradingd.yaml").write_text(f"mode: {mode}\norders:\n{text}" if text else f"mode: {mode}\n")
    return load_config(folder)


@pytest.mark.parametrize(("word", "style"), [
    ("best", S.BEST), ("marketable", S.MARKETABLE), ("adaptive", S.ADAPTIVE), ("pov", S.POV)])
def test_the_configured_style_works_what_leaves_it_open(tmp_path: Path, word: str, style: ExecutionStyle) -> None:
    said = manners(configured(tmp_path, f"style: {word}"))
    assert said.style_for(S.BEST) is style
    assert said.style_for(S.LIMIT) is S.LIMIT


@pytest.mark.parametrize("word", ["adaptive", "pov"])
def test_who_must_hurry_hurries_whatever_is_usual(tmp_path: Path, word: str) -> None:
    assert manners(configured(tmp_path, f"style: {word}")).style_for(S.MARKETABLE) is S.MARKETABLE


@pytest.mark.parametrize(("mode", "style"), [("paper", S.BEST), ("simulated", S.MARKETABLE)])
def test_without_a_word_a_recorded_day_has_no_time_for_patience(tmp_path: Path, mode: str,
                                                                style: ExecutionStyle) -> None:
    assert manners(configured(tmp_path, mode=mode)).usual_style is style


@pytest.mark.parametrize(("mode", "lines", "ends"), [
    ("paper", (), True), ("live", (), True), ("simulated", (), False), ("live", ("good_till_date: false",), False),
    ("simulated", ("good_till_date: true",), True)])
def test_orders_end_by_themselves_where_clocks_agree_or_as_configured(tmp_path: Path, mode: str,
                                                                      lines: tuple[str, ...], ends: bool) -> None:
    assert manners(configured(tmp_path, *lines, mode=mode)).good_till_date is ends


def test_the_share_of_the_market_is_five_percent_or_as_configured(tmp_path: Path) -> None:
    assert manners(configured(tmp_path)).participation == Decimal("0.05")
    assert manners(configured(tmp_path, "participation: 0.1")).participation == Decimal("0.1")


@pytest.mark.parametrize("share", ["0.11", "0", "-0.05"])
def test_more_than_a_tenth_of_the_market_or_nothing_is_refused(tmp_path: Path, share: str) -> None:
    with pytest.raises(ConfigError, match="participation"):
        configured(tmp_path, f"participation: {share}")
