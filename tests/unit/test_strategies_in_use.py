"""Strategies in use: a file that is added, edited, renamed or removed takes effect, and the last one is never lost."""

import asyncio
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from live_config_fakes import FakeRevisions, Heard, a_live_config

from daemon.configuration.config_folder import finish_interrupted_write, write_folder, write_texts
from daemon.configuration.folder_texts import read_texts
from daemon.configuration.live_config import LiveConfig
from trading.control.config_revision import Source
from trading.errors import ConfigError

SYSTEM = "system:\n  forecast_rules:\n    trend: {rule: ewmac, fast: 8, slow: 32, scalar: 5.3, weight: 1}\n"
MINE, YOURS = "weight: 1\n" + SYSTEM, "weight: 2\n" + SYSTEM


def save(folder: Path, name: str, text: str) -> None:
    (folder / "strategies").mkdir(exist_ok=True)
    (folder / "strategies" / f"{name}.yaml").write_text(text)


def remove(folder: Path, name: str) -> None:
    (folder / "strategies" / f"{name}.yaml").unlink()


def files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (folder / "strategies").iterdir()}


Story = Callable[[LiveConfig, FakeRevisions], Awaitable[None]]


def live(folder: Path, story: Story, **strategies: str) -> None:
    """`story` with a live configuration over `folder`."""
    async def run() -> None:
        for name, text in strategies.items():
            save(folder, name, text)
        revisions = FakeRevisions()
        config = a_live_config(folder, revisions, Heard())
        await config.start()
        await story(config, revisions)
    asyncio.run(run())


def test_a_strategy_of_your_own_takes_the_place_of_the_shipped_ones(tmp_path: Path) -> None:
    async def story(config: LiveConfig, revisions: FakeRevisions) -> None:
        assert list(config.config.strategies) == ["example"]
        save(tmp_path, "mine", MINE)
        await config.reload("ana", "a new one")
        assert list(config.config.strategies) == ["mine"]
        assert revisions.kept[1].changes == ("strategy example: removed", "strategy mine: added")
        assert revisions.kept[1].files == {"strategies/mine.yaml": MINE}
    live(tmp_path, story)


def test_a_strategy_is_edited_key_by_key(tmp_path: Path) -> None:
    async def story(config: LiveConfig, revisions: FakeRevisions) -> None:
        save(tmp_path, "mine", YOURS.replace("slow: 32", "slow: 64"))
        await config.reload("ana", "")
        assert revisions.kept[1].changes == (
            "strategy mine: weight 1.0 -> 2.0, system.forecast_rules.trend.slow 32 -> 64",)
    live(tmp_path, story, mine=MINE)


def test_one_of_several_may_be_removed_or_renamed(tmp_path: Path) -> None:
    async def story(config: LiveConfig, _revisions: FakeRevisions) -> None:
        remove(tmp_path, "yours")
        await config.reload("ana", "")
        assert list(config.config.strategies) == ["mine"]
        (tmp_path / "strategies" / "mine.yaml").rename(tmp_path / "strategies" / "ours.yaml")
        await config.reload("ana", "")
        assert list(config.config.strategies) == ["ours"]
    live(tmp_path, story, mine=MINE, yours=YOURS)


def test_a_file_that_is_missing_is_known_to_the_watch(tmp_path: Path) -> None:
    async def story(config: LiveConfig, revisions: FakeRevisions) -> None:
        save(tmp_path, "third", MINE)
        assert config.misses_a_file() is False
        remove(tmp_path, "yours")
        assert config.misses_a_file() is True
        await config.reload_saved()
        assert config.misses_a_file() is False
        assert revisions.kept[1].author == "unknown", "who removes a file leaves no trace"
    live(tmp_path, story, mine=MINE, yours=YOURS)


def test_a_rollback_removes_what_was_added_since_and_restores_what_was_removed(tmp_path: Path) -> None:
    async def story(config: LiveConfig, revisions: FakeRevisions) -> None:
        save(tmp_path, "third", MINE)
        save(tmp_path, "mine", YOURS)
        remove(tmp_path, "yours")
        await config.reload("ana", "all at once")
        outcome = await config.rollback(1, "ben", "too much")
        assert (outcome.generation, revisions.kept[2].source) == (3, Source.ROLLBACK)
        assert {name: text for name, text in files(tmp_path).items() if name.endswith(".yaml")} == {
            "mine.yaml": MINE, "yours.yaml": YOURS}
        assert files(tmp_path)["third.yaml.previous"] == MINE, "nothing that somebody wrote is lost"
        assert list(config.config.strategies) == ["mine", "yours"]
        assert (await config.reload("ana", "")).applied is False
    live(tmp_path, story, mine=MINE, yours=YOURS)


def test_a_rollback_to_the_shipped_strategies_is_a_decision(tmp_path: Path) -> None:
    async def story(config: LiveConfig, _revisions: FakeRevisions) -> None:
        save(tmp_path, "mine", MINE)
        await config.reload("ana", "")
        await config.rollback(1, "ana", "")
        assert list(config.config.strategies) == ["example"]
        assert list(files(tmp_path)) == ["mine.yaml.previous"]
        assert (await config.reload("ana", "")).applied is False
    live(tmp_path, story)


def test_a_rollback_takes_a_file_along_that_stands_in_the_way(tmp_path: Path) -> None:
    async def story(config: LiveConfig, _revisions: FakeRevisions) -> None:
        (tmp_path / "strategies.yaml").write_text("strategies: {}\n")
        (tmp_path / "strategies" / "x.yml").write_text(MINE)
        await config.rollback(1, "ana", "")
        assert config.problem == ""
        assert not (tmp_path / "strategies.yaml").exists()
        assert (tmp_path / "strategies" / "x.yml.previous").read_text() == MINE
    live(tmp_path, story, mine=MINE)


def test_a_check_takes_files_in_place_of_some_and_without_others(tmp_path: Path) -> None:
    async def story(config: LiveConfig, _revisions: FakeRevisions) -> None:
        changes = await config.check({"strategies/third.yaml": MINE, "strategies/yours.yaml": None})
        assert [(change.name, change.kind.value) for change in changes] == [
            ("strategy yours", "removed"), ("strategy third", "added")]
        assert set(files(tmp_path)) == {"mine.yaml", "yours.yaml"}
    live(tmp_path, story, mine=MINE, yours=YOURS)


def test_an_edit_of_the_schedule_keeps_the_strategies(tmp_path: Path) -> None:
    async def story(config: LiveConfig, revisions: FakeRevisions) -> None:
        text = "processes:\n  run_systems:\n    timeout: PT2H\n"
        await config.apply_text(text, "ana", "")
        assert revisions.kept[1].files == {"processes.yaml": text, "strategies/mine.yaml": MINE}
        assert list(config.config.strategies) == ["mine"]
    live(tmp_path, story, mine=MINE)


def test_what_is_written_anew_may_be_changed_by_whoever_may_write_beside_it(tmp_path: Path) -> None:
    tmp_path.chmod(0o770)
    write_texts(tmp_path, {"strategies/mine.yaml": MINE})
    assert stat.S_IMODE((tmp_path / "strategies").stat().st_mode) == 0o770
    assert stat.S_IMODE((tmp_path / "strategies" / "mine.yaml").stat().st_mode) == 0o660


def test_a_change_of_several_files_that_was_cut_short_is_finished(tmp_path: Path) -> None:
    # given a folder whose last step, the end of the note about the change, did not happen
    save(tmp_path, "mine", MINE)
    save(tmp_path, "yours", YOURS)
    (tmp_path / ".unfinished-change.json").write_text('{"strategies/mine.yaml": null, "strategies/new.yaml": "# 3"}')
    assert finish_interrupted_write(tmp_path) is True
    assert {name for name in files(tmp_path) if name.endswith(".yaml")} == {"yours.yaml", "new.yaml"}


def test_a_whole_folder_is_written_to_the_letter(tmp_path: Path) -> None:
    save(tmp_path, "mine", MINE)
    wanted = {"processes.yaml": "# ours\n", "strategies/yours.yaml": YOURS}
    write_folder(tmp_path, wanted)
    assert read_texts(tmp_path, {}) == wanted


def test_a_link_to_a_strategy_that_leads_nowhere_is_no_removal(tmp_path: Path) -> None:
    save(tmp_path, "mine", MINE)
    (tmp_path / "strategies" / "yours.yaml").symlink_to("nowhere.yaml")
    with pytest.raises(ConfigError, match=r"yours\.yaml is listed, but leads nowhere\. Mend the link, or remove it\."):
        read_texts(tmp_path, {})
