"""The configuration in use: an edit replaces all of it or nothing, and every one that was in use is kept."""

import asyncio
import stat
from pathlib import Path

import pytest
from live_config_fakes import NOW, FakeRevisions, Heard, a_live_config

from daemon.configuration.config_folder import NOTHING_OF_OURS, REDO, finish_interrupted_write, write_texts
from daemon.configuration.live_config import LiveConfig
from trading.control.config_revision import ConfigRevision, Source
from trading.errors import ConcurrentUpdate, ConfigError, NotFound, StoreError

HOUR = "processes:\n  run_systems:\n    timeout: PT1H\n"
TWO = HOUR.replace("PT1H", "PT2H")
WRONG = HOUR.replace("PT1H", "soon")


def save(folder: Path, text: str, name: str = "processes.yaml") -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(text)


def timeout_of(live: object) -> int:
    return live.config.processes["run_systems"].timeout  # type: ignore[attr-defined,no-any-return]


async def started(folder: Path, revisions: FakeRevisions | None = None, heard: Heard | None = None):  # type: ignore[no-untyped-def]
    live = a_live_config(folder, revisions, heard)
    await live.start()
    return live


def test_the_first_start_is_generation_one(tmp_path: Path) -> None:
    save(tmp_path, HOUR)
    revisions, heard = FakeRevisions(), Heard()
    live = asyncio.run(started(tmp_path, revisions, heard))
    only, = revisions.kept
    assert (live.generation, only.source, only.parent, only.files, only.at) == (
        1, Source.START, None, {"processes.yaml": HOUR}, NOW)
    assert heard.changes == [], "what the service was built with is no change"


def test_a_second_start_with_the_same_files_makes_no_generation(tmp_path: Path) -> None:
    save(tmp_path, HOUR)
    revisions = FakeRevisions()
    asyncio.run(started(tmp_path, revisions))
    assert asyncio.run(started(tmp_path, revisions)).generation == 1
    assert len(revisions.kept) == 1


def test_files_that_were_edited_while_nobody_looked_are_a_generation_of_the_start(tmp_path: Path) -> None:
    save(tmp_path, HOUR)
    revisions = FakeRevisions()
    asyncio.run(started(tmp_path, revisions))
    save(tmp_path, TWO)
    live = asyncio.run(started(tmp_path, revisions))
    assert (live.generation, revisions.kept[1].source, revisions.kept[1].parent) == (2, Source.START, 1)


def test_an_edit_is_recorded_then_used_then_told(tmp_path: Path) -> None:
    async def story() -> None:
        # given a running configuration
        save(tmp_path, HOUR)
        revisions, heard = FakeRevisions(), Heard()
        live = await started(tmp_path, revisions, heard)

        # when the file is edited
        save(tmp_path, TWO)
        outcome = await live.reload("ana", "slow systems")

        # then
        assert (outcome.applied, outcome.generation, timeout_of(live)) == (True, 2, 7200)
        assert revisions.kept[1].changes == ("run_systems: timeout 3600 -> 7200",)
        assert (revisions.kept[1].author, revisions.kept[1].reason) == ("ana", "slow systems")
        (old, new), = heard.changes
        assert (old.processes["run_systems"].timeout, new) == (3600, live.config)
    asyncio.run(story())


def test_the_same_files_again_change_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        save(tmp_path, HOUR)
        revisions, heard = FakeRevisions(), Heard()
        live = await started(tmp_path, revisions, heard)
        save(tmp_path, HOUR)
        assert (await live.reload("ana", "touch")).applied is False
        assert (len(revisions.kept), heard.changes) == (1, [])
    asyncio.run(story())


def test_a_wrong_edit_leaves_the_old_in_use_and_says_why_until_the_next_good_one(tmp_path: Path) -> None:
    async def story() -> None:
        save(tmp_path, HOUR)
        revisions, heard = FakeRevisions(), Heard()
        live = await started(tmp_path, revisions, heard)
        save(tmp_path, WRONG)
        with pytest.raises(ConfigError):
            await live.reload("ana", "oops")
        assert (timeout_of(live), live.generation, len(revisions.kept), heard.changes) == (3600, 1, 1, [])
        assert "processes.run_systems.timeout: 'soon' is no duration" in live.problem

        save(tmp_path, HOUR)  # as before the mistake: nothing to apply, but nothing is wrong any more
        assert (await live.reload("ana", "mended")).applied is False
        assert live.status()["problem"] == ""
    asyncio.run(story())


def test_the_watch_may_try_without_leaving_a_mark(tmp_path: Path) -> None:
    async def story() -> None:
        save(tmp_path, HOUR)
        live = await started(tmp_path)
        save(tmp_path, WRONG)
        with pytest.raises(ConfigError):
            await live.reload_saved()
        assert live.problem == ""
    asyncio.run(story())


def test_a_file_that_vanishes_or_is_cut_to_nothing_does_not_mean_the_defaults(tmp_path: Path) -> None:
    async def story() -> None:
        save(tmp_path, TWO)
        live = await started(tmp_path)
        (tmp_path / "processes.yaml").unlink()
        with pytest.raises(ConfigError, match=r"processes\.yaml was there and is gone\. Put it back"):
            await live.reload("ana", "oops")
        assert timeout_of(live) == 7200
        save(tmp_path, "")
        with pytest.raises(ConfigError, match=r"processes\.yaml was there and is empty\. Put it back"):
            await live.reload("ana", "a full disk")
        assert timeout_of(live) == 7200
        save(tmp_path, "# the defaults\n")
        await live.reload("ana", "the defaults are meant")
        assert timeout_of(live) == 3600
    asyncio.run(story())


def test_a_file_that_vanished_while_nobody_looked_is_refused_at_the_start(tmp_path: Path) -> None:
    save(tmp_path, TWO)
    revisions = FakeRevisions()
    asyncio.run(started(tmp_path, revisions))
    (tmp_path / "processes.yaml").unlink()
    with pytest.raises(ConfigError, match="was there and is gone"):
        asyncio.run(started(tmp_path, revisions))


def test_without_a_store_nothing_is_swapped(tmp_path: Path) -> None:
    async def story() -> None:
        save(tmp_path, HOUR)
        revisions = FakeRevisions()
        live = await started(tmp_path, revisions)
        save(tmp_path, TWO)
        revisions.away = True
        with pytest.raises(StoreError, match="The store does not answer"):
            await live.reload("ana", "")
        assert timeout_of(live) == 3600
        revisions.away = False
        assert (await live.reload("ana", "")).generation == 2
    asyncio.run(story())


def test_a_generation_that_a_lost_answer_has_recorded_is_not_recorded_twice(tmp_path: Path) -> None:
    async def story() -> None:
        # given that the newest generation holds the texts on disk already
        save(tmp_path, HOUR)
        revisions = FakeRevisions()
        live = await started(tmp_path, revisions)
        save(tmp_path, TWO)
        other = a_live_config(tmp_path, revisions)
        await other.start()

        # then this service uses that generation
        assert (await live.reload("ana", "")).generation == 2
        assert len(revisions.kept) == 2
    asyncio.run(story())


def test_another_service_that_records_first_costs_a_second_try(tmp_path: Path) -> None:
    async def story() -> None:
        save(tmp_path, HOUR)
        revisions = FakeRevisions()
        live = await started(tmp_path, revisions)
        rival = ConfigRevision(generation=0, sha256="x", files={}, author="b", reason="", source=Source.FILE, at=NOW,
                               parent=1)
        revisions.rivals = [rival]
        save(tmp_path, TWO)
        assert (await live.reload("ana", "")).generation == 3
    asyncio.run(story())


def test_a_change_of_the_service_waits_for_a_restart(tmp_path: Path) -> None:
    async def story() -> None:
        live = await started(tmp_path)
        save(tmp_path, "timezone: America/New_York\n", "tradingd.yaml")
        outcome = await live.reload("ana", "")
        assert outcome.as_values()["changes"] == [
            "tradingd.yaml: timezone Europe/London -> America/New_York; restart to apply (tradectl restart)"]
        assert live.config.service.timezone == "Europe/London"
        assert live.status()["restart_needed"] is True
    asyncio.run(story())


def test_a_holiday_file_belongs_to_the_configuration(tmp_path: Path) -> None:
    async def story() -> None:
        save(tmp_path, "calendars:\n  desk: {holidays: desk.txt}\n")
        save(tmp_path, "2026-12-25\n", "desk.txt")
        revisions = FakeRevisions()
        live = await started(tmp_path, revisions)
        assert "desk.txt" in revisions.kept[0].files
        save(tmp_path, "2026-12-25\n2026-12-28\n", "desk.txt")
        assert (await live.reload("ana", "")).applied
        assert len(live.calendars["desk"].holidays) == 2
    asyncio.run(story())


def test_a_text_is_written_only_when_it_is_right(tmp_path: Path) -> None:
    async def story() -> None:
        save(tmp_path, HOUR)
        (tmp_path / "processes.yaml").chmod(0o640)
        live = await started(tmp_path)
        with pytest.raises(ConfigError, match="'soon' is no duration"):
            await live.apply_text(WRONG, "ana", "")
        assert ((tmp_path / "processes.yaml").read_text(), live.problem) == (HOUR, "")

        outcome = await live.apply_text(TWO, "ana", "slow systems", seen=HOUR, source=Source.CLI)
        assert (outcome.generation, timeout_of(live)) == (2, 7200)
        assert (tmp_path / "processes.yaml").read_text() == TWO
        assert (tmp_path / "processes.yaml.previous").read_text() == HOUR
        assert stat.S_IMODE((tmp_path / "processes.yaml").stat().st_mode) == 0o640
    asyncio.run(story())


def test_an_edit_of_an_older_text_does_not_undo_a_newer_one(tmp_path: Path) -> None:
    async def story() -> None:
        save(tmp_path, HOUR)
        live = await started(tmp_path)
        save(tmp_path, TWO)
        with pytest.raises(ConcurrentUpdate):
            await live.apply_text(HOUR.replace("PT1H", "PT3H"), "ben", "", seen=HOUR)
        assert (tmp_path / "processes.yaml").read_text() == TWO
    asyncio.run(story())


def test_a_rollback_is_a_new_generation_with_the_old_text(tmp_path: Path) -> None:
    async def story() -> None:
        save(tmp_path, HOUR)
        revisions = FakeRevisions()
        live = await started(tmp_path, revisions)
        for text in (TWO, HOUR.replace("PT1H", "PT3H")):
            save(tmp_path, text)
            await live.reload("ana", "")
        outcome = await live.rollback(1, "ben", "both were wrong")
        assert (outcome.generation, timeout_of(live), (tmp_path / "processes.yaml").read_text()) == (4, 3600, HOUR)
        assert (revisions.kept[3].source, revisions.kept[3].parent) == (Source.ROLLBACK, 3)
        with pytest.raises(NotFound):
            await live.rollback(9, "ben", "")
    asyncio.run(story())


def test_a_rollback_takes_the_words_from_a_file_that_did_not_exist_then(tmp_path: Path) -> None:
    async def story() -> None:
        save(tmp_path, HOUR)
        live = await started(tmp_path)
        save(tmp_path, "day_at: '22:00'\n", "tradingd.yaml")
        await live.reload("ana", "")
        await live.rollback(1, "ana", "")
        assert (tmp_path / "tradingd.yaml").read_text() == NOTHING_OF_OURS
    asyncio.run(story())


RULE = "system:\n  forecast_rules: {up: {rule: bias, direction: 1, scalar: 1, weight: 1}}\n"


def strategies(live: LiveConfig) -> list[str]:
    return list(live.config.strategies)


def test_strategies_of_our_own_replace_the_shipped_example_and_come_and_go(tmp_path: Path) -> None:
    async def story() -> None:
        save(tmp_path, HOUR)
        live = await started(tmp_path)
        assert strategies(live) == ["example"]
        for name, expected in (("mine", ["mine"]), ("yours", ["mine", "yours"])):
            save(tmp_path, RULE, f"strategies/{name}.yaml")
            outcome = await live.reload("ana", "")
            assert strategies(live) == expected
        assert [change.name for change in outcome.changes] == ["strategy yours"]
        (tmp_path / "strategies" / "mine.yaml").unlink()
        await live.reload("ana", "")
        assert strategies(live) == ["yours"]
    asyncio.run(story())


def test_the_last_strategy_may_not_vanish_for_then_the_example_would_be_traded(tmp_path: Path) -> None:
    async def story() -> None:
        save(tmp_path, RULE, "strategies/mine.yaml")
        live = await started(tmp_path)
        (tmp_path / "strategies" / "mine.yaml").unlink()
        with pytest.raises(ConfigError, match=r"mine\.yaml was there and is gone\. .* the shipped example would"):
            await live.reload("ana", "")
        assert strategies(live) == ["mine"]
    asyncio.run(story())


def test_a_strategy_that_is_cut_to_nothing_is_refused(tmp_path: Path) -> None:
    async def story() -> None:
        for name in ("mine", "yours"):
            save(tmp_path, RULE, f"strategies/{name}.yaml")
        live = await started(tmp_path)
        save(tmp_path, "", "strategies/mine.yaml")
        with pytest.raises(ConfigError, match=r"mine\.yaml was there and is empty\. .* strategy, remove the file"):
            await live.reload("ana", "")
        assert strategies(live) == ["mine", "yours"]
    asyncio.run(story())


def test_a_wrong_strategy_changes_nothing_at_all(tmp_path: Path) -> None:
    async def story() -> None:
        save(tmp_path, HOUR)
        save(tmp_path, RULE, "strategies/mine.yaml")
        live = await started(tmp_path)
        save(tmp_path, TWO)
        save(tmp_path, RULE.replace("bias", "bais"), "strategies/yours.yaml")
        with pytest.raises(ConfigError, match=r"yours\.yaml:2:\d+: system\.forecast_rules\.up: there is no rule bais"):
            await live.reload("ana", "")
        assert (strategies(live), timeout_of(live)) == (["mine"], 3600)
    asyncio.run(story())


def test_a_rollback_removes_a_strategy_that_was_added_and_brings_back_one_that_went(tmp_path: Path) -> None:
    async def story() -> None:
        save(tmp_path, RULE, "strategies/mine.yaml")
        live = await started(tmp_path)
        save(tmp_path, RULE, "strategies/yours.yaml")
        (tmp_path / "strategies" / "mine.yaml").unlink()
        await live.reload("ana", "")
        assert strategies(live) == ["yours"]
        await live.rollback(1, "ana", "")
        assert strategies(live) == ["mine"]
        assert (tmp_path / "strategies" / "mine.yaml").read_text() == RULE
        assert not (tmp_path / "strategies" / "yours.yaml").exists()
    asyncio.run(story())


def test_what_an_editor_leaves_beside_a_strategy_is_none(tmp_path: Path) -> None:
    async def story() -> None:
        for name in ("mine.yaml", ".mine.yaml.swp", "mine.yaml~", "mine.yaml.previous", ".#mine.yaml", "notes.txt"):
            save(tmp_path, RULE, f"strategies/{name}")
        live = await started(tmp_path)
        assert strategies(live) == ["mine"]
    asyncio.run(story())


def test_a_strategy_with_the_wrong_ending_is_not_overlooked(tmp_path: Path) -> None:
    save(tmp_path, RULE, "strategies/mine.yml")
    with pytest.raises(ConfigError, match=r"strategies/mine\.yml:1:1: it is not read\. Rename it to mine\.yaml"):
        a_live_config(tmp_path)


def test_a_crash_between_two_files_is_finished_by_whoever_starts_next(tmp_path: Path) -> None:
    # given a change of two files of which a crash let only the first happen
    save(tmp_path, HOUR)
    save(tmp_path, "day_at: '22:00'\n", "tradingd.yaml")
    (tmp_path / REDO).write_text('{"processes.yaml": ' + repr(TWO).replace("'", '"') + ', "tradingd.yaml": ""}')
    save(tmp_path, TWO)

    # when
    assert finish_interrupted_write(tmp_path) is True

    # then both have happened, once
    assert ((tmp_path / "processes.yaml").read_text(), (tmp_path / "tradingd.yaml").read_text()) == (TWO, "")
    assert finish_interrupted_write(tmp_path) is False


def test_a_link_stays_a_link_when_its_file_is_written(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    save(tmp_path / "real", HOUR)
    (tmp_path / "processes.yaml").symlink_to("real/processes.yaml")
    write_texts(tmp_path, {"processes.yaml": TWO})
    assert (tmp_path / "processes.yaml").is_symlink()
    assert (tmp_path / "real" / "processes.yaml").read_text() == TWO


def test_a_folder_that_cannot_be_written_is_named_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere cannot be written \(No such file or directory\)\. Edit the files"):
        write_texts(tmp_path / "nowhere", {"processes.yaml": HOUR})


def test_the_defaults_inside_an_installation_are_not_written(tmp_path: Path) -> None:
    folder = tmp_path / "shipped_files" / "config"
    folder.mkdir(parents=True)
    with pytest.raises(ConfigError, match="holds the defaults that come with tradingd"):
        write_texts(folder, {"processes.yaml": HOUR})


def test_two_changes_at_once_come_one_after_the_other(tmp_path: Path) -> None:
    async def story() -> None:
        save(tmp_path, HOUR)
        revisions = FakeRevisions()
        live = await started(tmp_path, revisions)
        texts = [HOUR.replace("PT1H", f"PT{hours}H") for hours in (2, 3, 4)]
        await asyncio.gather(*(live.apply_text(text, "ana", "") for text in texts), live.reload("ben", ""))
        assert [revision.generation for revision in revisions.kept] == [1, 2, 3, 4]
        assert timeout_of(live) == 4 * 3600
    asyncio.run(story())
