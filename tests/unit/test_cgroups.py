"""Control groups of runs, on a folder that looks like a delegated cgroup v2 subtree; we play the kernel's part."""

from pathlib import Path

import pytest

from daemon.children.cgroups import GroupUse, RunGroups, own_group, prepared

RUN = "run_systems@2026-03-02T21:30:00Z#1"
OTHER_RUN = "run_cleaners@2026-03-02T23:00:00Z#1"


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """The group of the service as systemd hands it over: two processes in it, nothing below."""
    group = tmp_path / "system.slice" / "tradingd.service"
    group.mkdir(parents=True)
    (group / "cgroup.controllers").write_text("memory pids\n")
    (group / "cgroup.procs").write_text("100\n101\n")
    return group


@pytest.fixture
def groups(service: Path) -> RunGroups:
    return prepared(service)


def group_of_the_run(service: Path) -> Path:
    (found,) = service.glob("run-*")
    return found


def contents(group: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in group.iterdir()}


def emptied(group: Path) -> None:
    """As when the kernel's own files go with the group."""
    for file in group.iterdir():
        file.unlink()


def test_the_group_of_the_service_is_the_one_of_the_unified_hierarchy(service: Path, tmp_path: Path) -> None:
    membership = "8:pids:/elsewhere\n0::/system.slice/tradingd.service\n"
    assert own_group(membership, tmp_path) == service


def test_a_process_that_was_moved_aside_finds_the_same_group(service: Path, tmp_path: Path) -> None:
    (service / "daemon").mkdir()
    assert own_group("0::/system.slice/tradingd.service/daemon\n", tmp_path) == service


@pytest.mark.parametrize("membership", ["", "0::/\n", "4:memory:/system.slice/tradingd.service\n", "0::/gone\n"])
def test_without_a_group_of_our_own_there_is_none(membership: str, service: Path, tmp_path: Path) -> None:
    assert own_group(membership, tmp_path) is None


def test_before_limits_are_given_out_our_own_processes_are_moved_aside(service: Path) -> None:
    assert prepared(service).in_use
    assert (service / "daemon" / "cgroup.procs").read_text() == "101"  # each pid is a write of its own
    assert (service / "cgroup.subtree_control").read_text() == "+memory +pids"


def test_where_nothing_is_delegated_the_groups_are_not_in_use(service: Path) -> None:
    # given a tree in which the switch for controllers cannot be written
    (service / "cgroup.subtree_control").mkdir()

    assert not prepared(service).in_use
    assert not prepared(None).in_use


def test_groups_that_are_not_in_use_do_nothing(service: Path) -> None:
    before = sorted(service.rglob("*"))
    groups = prepared(None)
    groups.create(RUN, memory_max_mb=500)
    groups.enter(RUN)
    groups.kill(RUN)
    assert groups.end(RUN) == GroupUse(peak_bytes=None, out_of_memory=False)
    assert sorted(service.rglob("*")) == before


def test_a_run_gets_a_group_with_its_limits(groups: RunGroups, service: Path) -> None:
    groups.create(RUN, memory_max_mb=500)
    assert contents(group_of_the_run(service)) == {
        "pids.max": "512", "memory.max": "500000000", "memory.oom.group": "1", "memory.swap.max": "0"}


def test_a_run_without_a_memory_limit_is_only_kept_from_forking_for_ever(groups: RunGroups, service: Path) -> None:
    groups.create(RUN, pids_max=40)
    assert contents(group_of_the_run(service)) == {"pids.max": "40"}


def test_a_worker_enters_the_group_of_its_own_run(groups: RunGroups, service: Path) -> None:
    groups.create(RUN)
    ours = group_of_the_run(service)
    groups.create(OTHER_RUN)

    groups.enter(RUN)

    entered = {file.parent: file.read_text() for file in service.glob("run-*/cgroup.procs")}
    assert entered == {ours: "0"}  # 0: whoever writes


def test_a_run_is_killed_as_a_whole(groups: RunGroups, service: Path) -> None:
    groups.create(RUN)
    groups.kill(RUN)
    assert contents(group_of_the_run(service))["cgroup.kill"] == "1"


def test_a_run_that_has_no_group_any_more_is_neither_killed_nor_a_failure(groups: RunGroups) -> None:
    groups.kill(RUN)
    assert groups.end(RUN) == GroupUse(peak_bytes=None, out_of_memory=False)


def test_whatever_is_left_of_a_run_that_has_ended_is_killed(groups: RunGroups, service: Path) -> None:
    groups.create(RUN)
    groups.end(RUN)
    assert contents(group_of_the_run(service))["cgroup.kill"] == "1"


def test_the_kernel_says_what_a_run_took(groups: RunGroups, service: Path) -> None:
    groups.create(RUN, memory_max_mb=500)
    (group_of_the_run(service) / "memory.peak").write_text("499712000\n")
    (group_of_the_run(service) / "memory.events").write_text("low 0\nmax 12\noom 1\noom_kill 3\noom_group_kill 1\n")
    assert groups.end(RUN) == GroupUse(peak_bytes=499_712_000, out_of_memory=True)


def test_a_group_in_which_something_still_ends_goes_away_with_the_next_run(groups: RunGroups, service: Path) -> None:
    # given a group that cannot be removed yet (the kernel says EBUSY; here its files are in the way)
    groups.create(RUN)
    group = group_of_the_run(service)
    groups.end(RUN)
    assert group.exists()

    # when it is empty, and another run begins
    emptied(group)
    groups.create(OTHER_RUN)

    # then
    assert not group.exists()


def test_the_group_of_a_run_that_has_not_entered_it_yet_is_left_alone(groups: RunGroups, service: Path) -> None:
    groups.create(RUN)
    group = group_of_the_run(service)
    emptied(group)
    groups.create(OTHER_RUN)
    assert group.exists()
