"""Every way of saving a file, on a real folder: each final content is applied once and soon, never a half one."""

import asyncio
import os
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from daemon.config_watch import ConfigWatch
from trading.config import FILES
from trading.control.config_revision import fingerprint
from trading.errors import ConfigError, StoreError, TradingError

FIRST, LAST, HALF = "first: 1\n", "last: 1\n", "half"
WITHIN_S = 1.0
NAME = "processes.yaml"


@dataclass
class FakeLive:
    """Applies whatever is on disk, unless it is HALF; remembers what and when. Strategies are told by their names."""

    folder: Path
    applied: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    store_is_away: bool = False
    in_use: str = ""
    strategies: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.strategies = self.listed()

    def listed(self) -> tuple[str, ...]:
        return tuple(sorted(f"{path.stem} {path.read_text()}" for path in self.folder.glob("strategies/*.yaml")))

    def names(self) -> tuple[str, ...]:
        return FILES

    def fingerprint(self) -> str:
        texts = {name: (self.folder / name).read_text() for name in FILES if (self.folder / name).exists()}
        return fingerprint(texts | dict.fromkeys(self.listed(), ""))

    def misses_a_file(self) -> bool:
        return not {told.split()[0] for told in self.strategies} <= {told.split()[0] for told in self.listed()}

    async def reload_saved(self) -> None:
        if not (self.folder / NAME).exists():
            raise ConfigError("gone")
        text = (self.folder / NAME).read_text()
        if text == HALF:
            raise ConfigError(f"{HALF} is no configuration")
        if self.store_is_away:
            raise StoreError("away")
        if text != self.in_use:
            self.in_use = text
            self.applied.append(text)
        if self.listed() != self.strategies:
            self.strategies = self.listed()
            self.applied.append("; ".join(self.strategies))

    def refuse(self, error: TradingError) -> None:
        self.refused.append(str(error))


@pytest.fixture
def live(tmp_path: Path) -> FakeLive:
    (tmp_path / NAME).write_text(FIRST)
    return FakeLive(tmp_path, in_use=FIRST)


def watched(live: FakeLive, story: Callable[[], Awaitable[None]], **patience: float) -> None:
    """Run `story` while the folder is watched."""
    async def run() -> None:
        watching = asyncio.create_task(ConfigWatch(live, **patience).run())
        await asyncio.sleep(0.4)  # inotify begins to watch in a thread, which nobody is told of
        try:
            await story()
        finally:
            watching.cancel()
            with pytest.raises(asyncio.CancelledError):
                await watching
    asyncio.run(run())


async def until(condition: Callable[[], bool], within_s: float = WITHIN_S) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, "it took too long"
        await asyncio.sleep(0.01)


def in_place(path: Path) -> None:
    path.write_text(LAST)


def in_two_writes(path: Path) -> None:
    with path.open("w") as file:
        file.write(LAST[:4])
        file.flush()
        os.fsync(file.fileno())
        file.write(LAST[4:])


def beside_and_renamed(path: Path) -> None:
    path.with_name("scratch").write_text(LAST)
    path.with_name("scratch").rename(path)


def like_vim(path: Path) -> None:
    path.rename(path.with_name(f"{NAME}~"))
    path.write_text(LAST)
    path.with_name(f"{NAME}~").unlink()


def like_sed(path: Path) -> None:
    subprocess.run(["sed", "-i", "s/first/last/", str(path)], check=True)


def removed_and_written(path: Path) -> None:
    path.unlink()
    path.write_text(LAST)


@pytest.mark.parametrize("save", [in_place, in_two_writes, beside_and_renamed, like_vim, like_sed, removed_and_written])
def test_a_save_is_applied_once_and_soon(save: Callable[[Path], None], live: FakeLive) -> None:
    async def story() -> None:
        save(live.folder / NAME)
        await until(lambda: live.applied == [LAST])
        await asyncio.sleep(0.3)
        assert (live.applied, live.refused) == ([LAST], [])
    watched(live, story)


def test_a_mounted_volume_exchanges_its_links(tmp_path: Path) -> None:
    # given files as a mounted volume has them: links through ..data to a folder of the day
    for day, text in (("..1", FIRST), ("..2", LAST)):
        (tmp_path / day).mkdir()
        (tmp_path / day / NAME).write_text(text)
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / NAME).symlink_to(f"..data/{NAME}")
    live = FakeLive(tmp_path, in_use=FIRST)

    async def story() -> None:
        (tmp_path / "..data_tmp").symlink_to("..2")
        (tmp_path / "..data_tmp").rename(tmp_path / "..data")
        await until(lambda: live.applied == [LAST])
    watched(live, story)


def test_many_saves_end_with_the_last_one(live: FakeLive) -> None:
    async def story() -> None:
        for number in range(50):
            beside_and_renamed(live.folder / NAME)
            in_place(live.folder / NAME)
            (live.folder / NAME).write_text(f"save: {number}\n")
            await asyncio.sleep(0.04)
        (live.folder / NAME).write_text("save: last\n")
        await until(lambda: live.applied[-1:] == ["save: last\n"])
        assert live.applied.count("save: last\n") == 1
        assert len(live.applied) < 25, "they are taken together"
    watched(live, story)


def test_a_half_written_file_is_read_again_before_it_is_refused(live: FakeLive) -> None:
    async def story() -> None:
        (live.folder / NAME).write_text(HALF)
        await asyncio.sleep(0.5)
        (live.folder / NAME).write_text(LAST)
        await until(lambda: live.applied == [LAST])
        assert live.refused == []
    watched(live, story)


def test_a_wrong_file_is_refused_once_however_long_it_stays(live: FakeLive) -> None:
    async def story() -> None:
        (live.folder / NAME).write_text(HALF)
        await until(lambda: live.refused == [f"{HALF} is no configuration"], within_s=1.5)
        await asyncio.sleep(0.5)
        assert (live.applied, len(live.refused)) == ([], 1)
        (live.folder / NAME).write_text(LAST)
        await until(lambda: live.applied == [LAST])
    watched(live, story, poll_s=0.2, second_look_s=0.3)


def test_a_deleted_file_is_refused_and_its_return_is_seen(live: FakeLive) -> None:
    async def story() -> None:
        (live.folder / NAME).unlink()
        await until(lambda: live.refused == ["gone"])
        in_place(live.folder / NAME)
        await until(lambda: live.applied == [LAST])
    watched(live, story, second_look_s=0.2)


def test_a_touched_file_and_other_files_change_nothing(live: FakeLive) -> None:
    async def story() -> None:
        (live.folder / NAME).touch()
        (live.folder / "notes.txt").write_text("x")
        await asyncio.sleep(0.5)
        assert (live.applied, live.refused) == ([], [])
    watched(live, story)


def test_the_net_sees_what_no_event_tells(live: FakeLive, tmp_path_factory: pytest.TempPathFactory) -> None:
    # given a link to a file in a folder that is not watched
    elsewhere = tmp_path_factory.mktemp("elsewhere") / NAME
    elsewhere.write_text(FIRST)
    (live.folder / NAME).unlink()
    (live.folder / NAME).symlink_to(elsewhere)

    async def story() -> None:
        elsewhere.write_text(LAST)
        await until(lambda: live.applied == [LAST])
    watched(live, story, poll_s=0.3, second_look_s=0.3)


def test_a_store_that_is_away_is_tried_again(live: FakeLive) -> None:
    async def story() -> None:
        live.store_is_away = True
        in_place(live.folder / NAME)
        await until(lambda: live.refused != [])
        live.store_is_away = False
        await until(lambda: live.applied == [LAST])
    watched(live, story, poll_s=0.2)


def a_strategy(folder: Path, name: str = "mine", text: str = "weight 1") -> Path:
    (folder / "strategies").mkdir(exist_ok=True)
    (folder / "strategies" / f"{name}.yaml").write_text(text)
    return folder / "strategies" / f"{name}.yaml"


def with_a_strategy(live: FakeLive) -> FakeLive:
    a_strategy(live.folder)
    return FakeLive(live.folder, in_use=FIRST)


def test_a_strategy_that_is_edited_or_added_is_seen(live: FakeLive) -> None:
    live = with_a_strategy(live)

    async def story() -> None:
        a_strategy(live.folder, text="weight 2")
        await until(lambda: live.applied == ["mine weight 2"])
        a_strategy(live.folder, "other")
        await until(lambda: live.applied[1:] == ["mine weight 2; other weight 1"])
    watched(live, story, second_look_s=5)


def test_a_strategy_that_is_renamed_is_one_change(live: FakeLive) -> None:
    live = with_a_strategy(live)

    async def story() -> None:
        a_strategy(live.folder).rename(live.folder / "strategies" / "ours.yaml")
        await until(lambda: live.applied == ["ours weight 1"])
    watched(live, story, second_look_s=0.3)


def test_a_strategy_that_is_gone_for_a_moment_was_not_taken_away(live: FakeLive) -> None:
    live = with_a_strategy(live)

    async def story() -> None:
        a_strategy(live.folder).unlink()
        await asyncio.sleep(0.4)  # the removal is seen
        a_strategy(live.folder, text="weight 3")
        await until(lambda: live.applied == ["mine weight 3"])
    watched(live, story, second_look_s=5)


def test_a_strategy_that_stays_away_is_taken_away(live: FakeLive) -> None:
    a_strategy(live.folder, "other")
    live = with_a_strategy(live)

    async def story() -> None:
        a_strategy(live.folder).unlink()
        await until(lambda: live.applied == ["other weight 1"])
    watched(live, story, second_look_s=0.3)


def test_the_folder_of_the_strategies_may_appear_later(live: FakeLive) -> None:
    async def story() -> None:
        a_strategy(live.folder)
        await until(lambda: live.applied == ["mine weight 1"], within_s=2)
        a_strategy(live.folder, text="weight 2")
        await until(lambda: live.applied[1:] == ["mine weight 2"])
    watched(live, story, second_look_s=5)


def test_the_folder_of_the_strategies_may_be_exchanged_by_a_rename(live: FakeLive) -> None:
    live = with_a_strategy(live)
    (live.folder / "next").mkdir()
    (live.folder / "next" / "mine.yaml").write_text("weight 2")

    async def story() -> None:
        (live.folder / "strategies").rename(live.folder / "former")
        (live.folder / "next").rename(live.folder / "strategies")
        await until(lambda: live.applied == ["mine weight 2"], within_s=2)
        a_strategy(live.folder, text="weight 3")
        await until(lambda: live.applied[1:] == ["mine weight 3"])
        (live.folder / "former" / "mine.yaml").write_text("weight 9")
        await asyncio.sleep(0.3)
        assert live.applied[2:] == []
    watched(live, story, second_look_s=5)


def test_strategies_on_a_mounted_volume_are_exchanged_by_their_link(live: FakeLive) -> None:
    # given strategies as a mounted volume has them: links through ..data to a folder of the day
    strategies = live.folder / "strategies"
    for day, text in (("..1", "weight 1"), ("..2", "weight 2")):
        (strategies / day).mkdir(parents=True)
        (strategies / day / "mine.yaml").write_text(text)
    (strategies / "..data").symlink_to("..1")
    (strategies / "mine.yaml").symlink_to("..data/mine.yaml")
    mounted = FakeLive(live.folder, in_use=FIRST)

    async def story() -> None:
        (strategies / "..data_tmp").symlink_to("..2")
        (strategies / "..data_tmp").rename(strategies / "..data")
        await until(lambda: mounted.applied == ["mine weight 2"])
    watched(mounted, story, second_look_s=5)
