"""Configuration in detail: merging, secrets, durations, zones, dependencies; all without a daemon."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from trading.config import MONGO_URI_VARIABLE, Mode, find_cycle, load_config, source_line
from trading.errors import ConfigError
from trading.process_config import ProcessConfig
from trading.shipped import shipped_folder


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        file = folder / f"{name}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return folder


def complaint(folder: Path) -> str:
    with pytest.raises(ConfigError) as refusal:
        load_config(folder)
    return str(refusal.value).replace(f"{folder}/", "")


def test_a_cycle_is_printed_whole(tmp_path: Path) -> None:
    text = "processes:\n  update_fx_prices:\n    after: [update_strategy_capital]\n"
    said = complaint(written(tmp_path, processes=text))
    chain = said.partition("wait for each other: ")[2].partition(". Remove")[0].split(" -> ")
    assert chain[0] == chain[-1]
    assert set(chain) == {"update_fx_prices", "update_strategy_capital", "update_total_capital"}
    assert "Remove one of these dependencies." in said


def test_a_process_that_waits_for_itself_is_a_cycle(tmp_path: Path) -> None:
    said = complaint(written(tmp_path, processes="processes:\n  run_systems:\n    after: [run_systems]\n"))
    assert "run_systems -> run_systems" in said


def test_a_folder_of_our_own_is_merged_key_by_key(tmp_path: Path) -> None:
    # given a folder that changes one key in each file
    folder = written(tmp_path, tradingd="broker:\n  client_id: 7\n",
                     processes="processes:\n  run_systems:\n    grace: PT5M\n",
                     **{"strategies/example": "weight: 2\n"})

    # when
    config, shipped = load_config(folder), load_config(shipped_folder())

    # then everything else is what was shipped
    assert config.service == shipped.service.model_copy(update={
        "broker": shipped.service.broker.model_copy(update={"client_id": 7})})
    assert config.processes["run_systems"] == shipped.processes["run_systems"].model_copy(update={"grace": 300})
    assert list(config.processes) == list(shipped.processes)
    assert config.strategies == {"example": shipped.strategies["example"].model_copy(update={"weight": 2.0})}


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert load_config(written(tmp_path, tradingd="", processes="# only words\n")).service.mode is Mode.SIMULATED


def test_a_list_is_replaced_not_extended(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, processes="processes:\n  run_systems:\n    after: []\n"))
    assert config.processes["run_systems"].after == ()


def test_a_secret_in_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = written(tmp_path, tradingd="mongo:\n  uri: mongodb://file/\n")
    monkeypatch.delenv(MONGO_URI_VARIABLE, raising=False)
    assert load_config(folder).service.mongo.uri == "mongodb://file/"
    monkeypatch.setenv(MONGO_URI_VARIABLE, "mongodb://user:secret@environment/")
    assert load_config(folder).service.mongo.uri == "mongodb://user:secret@environment/"


def test_the_place_of_a_key_is_that_of_its_nearest_parent(tmp_path: Path) -> None:
    folder = written(tmp_path, processes="processes:\n  run_systems:\n    timeout: PT1H\n")
    path = ("processes", "run_systems", "timeout")
    assert source_line(folder, "processes.yaml", path) == f"{folder}/processes.yaml:3"
    assert source_line(folder, "processes.yaml", (*path, "deeper")) == f"{folder}/processes.yaml:3"
    assert source_line(folder, "nothing.yaml", ("x",)) == "nothing.yaml:1"


def test_the_place_of_a_key_of_a_strategy_is_in_its_own_file(tmp_path: Path) -> None:
    folder = written(tmp_path, **{"strategies/mine": "weight: 1\nsystem:\n  costs: cash\n"})
    assert source_line(folder, "strategies/mine.yaml", ("system", "costs")) == f"{folder}/strategies/mine.yaml:3"


def test_configuration_cannot_be_changed(tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        load_config(tmp_path).service.mode = Mode.LIVE  # type: ignore[misc]


@pytest.mark.parametrize(("text", "seconds"), [("PT1H30M", 5400), ("PT15M", 900), ("P1D", 86400), ("PT90S", 90)])
def test_durations_are_iso_8601(text: str, seconds: int) -> None:
    assert ProcessConfig(cron="x", timeout=text).timeout == seconds  # type: ignore[arg-type]


@given(st.lists(st.lists(st.integers(0, 7), max_size=3), min_size=8, max_size=8))
def test_a_cycle_that_is_reported_is_one_and_none_is_missed(edges: list[list[int]]) -> None:
    graph = {str(node): tuple(map(str, needs)) for node, needs in enumerate(edges)}
    cycle = find_cycle(graph)
    if cycle:
        assert cycle[0] == cycle[-1]
        assert all(b in graph[a] for a, b in itertools.pairwise(cycle))
    else:  # then everything can be put in an order
        left = dict(graph)
        while left:
            free = [node for node, needs in left.items() if not set(needs) & set(left)]
            assert free
            left = {node: needs for node, needs in left.items() if node not in free}
