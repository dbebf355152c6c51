"""Which strategies trade: no example ever beside one of somebody's own, unless he has its file."""

from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st
from temporary_folder import a_folder

from trading.config import load_config
from trading.shipped import shipped_folder

SHIPPED = load_config(shipped_folder()).strategies
MINE = "system:\n  forecast_rules:\n    trend: {rule: ewmac, fast: 8, slow: 32, scalar: 5.3, weight: 1}\n"


def with_strategies(folder: Path, **texts: str) -> Path:
    (folder / "strategies").mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / "strategies" / f"{name}.yaml").write_text(text)
    return folder


def test_a_folder_without_any_has_the_shipped_ones(tmp_path: Path) -> None:
    assert load_config(tmp_path).strategies == load_config(with_strategies(tmp_path)).strategies == SHIPPED


def test_one_of_your_own_trades_alone(tmp_path: Path) -> None:
    assert list(load_config(with_strategies(tmp_path, mine=MINE)).strategies) == ["mine"]


def test_one_that_is_called_like_a_shipped_one_says_what_differs(tmp_path: Path) -> None:
    text = "system:\n  percentage_vol_target: 15\n  forecast_rules: {carry: {scalar: 25}}\n"
    found = load_config(with_strategies(tmp_path, example=text, mine=MINE)).strategies
    rules = SHIPPED["example"].system["forecast_rules"]
    assert found["example"].system == SHIPPED["example"].system | {
        "percentage_vol_target": 15, "forecast_rules": rules | {"carry": rules["carry"] | {"scalar": 25}}}
    assert list(found) == ["example", "mine"]


def test_what_an_editor_leaves_counts_for_nothing(tmp_path: Path) -> None:
    for name in ("mine.yaml.bak", ".mine.yaml.swp", "mine.yaml~"):
        (with_strategies(tmp_path) / "strategies" / name).write_text(MINE)
    assert load_config(tmp_path).strategies == SHIPPED


def test_texts_stand_for_the_whole_folder(tmp_path: Path) -> None:
    with_strategies(tmp_path, there=MINE)
    assert list(load_config(tmp_path, {"strategies/mine.yaml": MINE}).strategies) == ["mine"]
    assert load_config(tmp_path, {}).strategies == SHIPPED


@example({"A", "A-"})
@given(st.sets(st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,8}", fullmatch=True), max_size=6))
def test_the_files_are_the_strategies_whatever_they_are_called(names: set[str]) -> None:
    with a_folder() as folder:
        found = load_config(with_strategies(folder, **dict.fromkeys(names, MINE))).strategies
        assert list(found) == (sorted(names) or list(SHIPPED))
