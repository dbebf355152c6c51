"""Which files of a configuration folder are strategies: by their names alone."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import ConfigError
from trading.strategy_files import is_strategy_file, listed, mistake_in_name, strategy_file, strategy_of

LEFT_BY_EDITORS = ("x.yaml.bak", "x.yaml~", ".x.yaml.swp", ".#x.yaml", "#x.yaml#", "x.yaml.previous", ".hidden.yaml",
                   "4913", "README.md", "x.yaml.rpmnew", "x", "yaml")


def refused(folder: Path) -> str:
    with pytest.raises(ConfigError) as refusal:
        listed(folder)
    return str(refusal.value).replace(f"{folder}/", "")


@pytest.mark.parametrize("name", ["x", "Mine", "trend_2", "a-b", "z9"])
def test_a_file_is_a_strategy_by_its_stem(name: str) -> None:
    file = strategy_file(name)
    assert (is_strategy_file(file), mistake_in_name(file), strategy_of(file)) == (True, "", name)


@pytest.mark.parametrize("name", LEFT_BY_EDITORS)
def test_what_an_editor_leaves_is_no_strategy(name: str) -> None:
    assert not is_strategy_file(f"strategies/{name}")


@pytest.mark.parametrize(("file", "said"), [
    *((name, "it is not read. Rename it to x.yaml, or move it away.") for name in ("x.yml", "x.YAML", "x.Yml")),
    *((f"{name}.yaml", f"{name!r} cannot be the name of a strategy: it begins with a letter and goes on "
                       f"with letters, digits, _ or -. Rename the file.")
      for name in ("1st", "my own", "x.bak", "-x", "_x", "größe", "x\n"))])
def test_a_file_that_was_meant_as_one_says_how_to_name_it(file: str, said: str) -> None:
    assert is_strategy_file(f"strategies/{file}")
    assert mistake_in_name(f"strategies/{file}") == said


@pytest.mark.parametrize("file", ["x.yaml", "strategies.yaml", "strategies/deeper/x.yaml", "other/x.yaml"])
def test_a_file_elsewhere_is_none(file: str) -> None:
    assert not is_strategy_file(file)


@given(st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1))
def test_a_right_name_is_read_back_as_the_strategy_that_it_names(stem: str) -> None:
    file = f"strategies/{stem}.yaml"
    if is_strategy_file(file) and not mistake_in_name(file):
        assert strategy_file(strategy_of(file)) == file
        assert strategy_of(file).replace("_", "a").replace("-", "a").isalnum()


def test_the_files_are_listed_in_order_of_name(tmp_path: Path) -> None:
    (tmp_path / "strategies").mkdir()
    for name in ("b.yaml", "a.yaml", "c.yml", *LEFT_BY_EDITORS):
        (tmp_path / "strategies" / name).touch()
    assert listed(tmp_path) == ("strategies/a.yaml", "strategies/b.yaml", "strategies/c.yml")


def test_without_the_folder_there_are_none(tmp_path: Path) -> None:
    assert listed(tmp_path) == ()


def test_what_cannot_be_listed_never_means_none(tmp_path: Path) -> None:
    (tmp_path / "strategies").symlink_to("nowhere")
    assert refused(tmp_path) == "strategies:1:1: this link leads nowhere. Mend it, or remove it."
    (tmp_path / "strategies").unlink()
    (tmp_path / "strategies").touch()
    assert refused(tmp_path) == ("strategies:1:1: this is no folder. Make it one, with a file NAME.yaml for each "
                                 "strategy.")
    (tmp_path / "strategies").unlink()
    (tmp_path / "strategies").symlink_to("strategies")
    assert refused(tmp_path).startswith("strategies:1:1: it cannot be read: Too many levels of symbolic links.")
