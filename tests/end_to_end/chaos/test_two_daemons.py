"""Two daemons on one store: exactly one leads, whatever is killed, frozen or deleted. K18 to K22, K24, K64."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from checker import violations
from rig import MARK, TTL_S, Daemon, Rig, StoreServer, job, until

from trading.data.mongo.connection import connect
from trading.data.mongo.processes import HELD_UP_S
from trading.data.mongo.schema import set_up_schema

PROCESSES = {"beat": job(every="PT1S"), "long": job(arguments={"seconds": 5})}
POLL_S = 1.0
SLACK_S = 2.5  # for a machine of two busy cores
FOR_A_TRANSACTION_S = HELD_UP_S  # in which a leader may have been frozen


class Pair:
    """Two daemons; whoever is missing is started again before each test."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self._daemons = [rig.daemon("a"), rig.daemon("b")]

    def ready(self) -> tuple[Daemon, Daemon]:
        """The leader and the standby, both alive."""
        for daemon in self._daemons:
            if not daemon.is_alive():
                daemon.environment.clear()
                daemon.begin()
        until(lambda: sorted(daemon.phase() for daemon in self._daemons) == ["running", "standby"], 40,
              "one leads, the other stands by")
        return self.now()

    def now(self) -> tuple[Daemon, Daemon]:
        leader, standby = sorted(self._daemons, key=lambda daemon: daemon.phase() != "running")
        return leader, standby


@pytest.fixture(scope="module")
def pair(server: StoreServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    pair = Pair(Rig(tmp_path_factory.mktemp("pair") / "rig", server, PROCESSES))
    yield pair
    left = pair.rig.close()
    assert left == []


def token(daemon: Daemon) -> int:
    return int(daemon.ask("GET", "/leader")["token"])


def take_over(leader: Daemon, standby: Daemon, within_s: float) -> float:
    """Seconds until `standby` leads."""
    asked_s = time.monotonic()
    until(lambda: standby.phase() == "running", within_s, f"{standby.state.name} takes over from {leader.state.name}")
    return time.monotonic() - asked_s


def beats_again(pair: Pair) -> None:
    """A slot that came after this call runs to its end."""
    seen = len(pair.rig.effects("beat", "end"))
    until(lambda: len(pair.rig.effects("beat", "end")) > seen, 15, "the schedule goes on")


def test_k21_of_two_that_start_together_one_leads(pair: Pair) -> None:
    leader, standby = pair.ready()

    assert leader.ask("GET", "/leader")["is_leader"] is True
    seen = standby.ask("GET", "/leader")
    assert seen["is_leader"] is False
    assert seen["holder"]["pid"] == leader.pid


def test_k22_a_second_daemon_on_the_same_state_directory_is_refused(pair: Pair) -> None:
    leader, _ = pair.ready()

    second = Daemon(pair.rig, leader.state)
    second.begin()

    assert second.wait() == 1
    assert f"is in use by process {leader.pid}" in second.words()
    assert leader.phase() == "running"


def test_k18_a_standby_takes_over_from_a_leader_that_was_killed(pair: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    # given a leader at work
    leader, standby = pair.ready()
    beats_again(pair)
    before = token(leader)

    # when it is killed
    leader.kill()
    took_s = take_over(leader, standby, TTL_S + POLL_S + FOR_A_TRANSACTION_S + SLACK_S)

    # then the other leads under a greater token
    assert token(standby) > before
    beats_again(pair)
    with capsys.disabled():
        print(f"\nfail-over after kill -9: {took_s:.2f} s")


def test_k20_a_leader_that_was_frozen_steps_down_when_it_wakes(pair: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    # given a leader with a long run
    leader, standby = pair.ready()
    run = leader.run("long")["run"]
    until(lambda: pair.rig.effects("long", "start"), 10, "the long run has begun")

    # when it is frozen for three times the lease
    leader.signal(signal.SIGSTOP)
    frozen_s = time.monotonic()
    try:
        took_s = take_over(leader, standby, TTL_S + POLL_S + FOR_A_TRANSACTION_S + SLACK_S)
        beats_again(pair)
        time.sleep(max(0.0, 3 * TTL_S - (time.monotonic() - frozen_s)))
    finally:
        leader.signal(signal.SIGCONT)

    # then it stands by at once, and the run that it had started has one end
    until(lambda: leader.phase() == "standby", 3, "the former leader stands by")
    assert standby.phase() == "running"
    until(lambda: not _run(pair, run)["active"], 15, "the long run is settled")
    assert _run(pair, run)["state"] == "FINISHED"
    with capsys.disabled():
        print(f"\nfail-over after SIGSTOP: {took_s:.2f} s of a lease of {TTL_S:g} s")


def test_k19_a_claim_of_a_frozen_leader_starts_nothing_when_it_wakes(pair: Pair) -> None:
    # given a leader that freezes between its first claim and its worker
    leader, standby = pair.ready()
    standby.kill()
    standby.environment["TRADINGD_FREEZE_AT"] = "AFTER_CLAIM"
    standby.begin()
    del standby.environment["TRADINGD_FREEZE_AT"]  # not when it is started again
    until(lambda: standby.phase() == "standby", 30, "it stands by")
    leader.kill()
    frozen, follower = standby, leader
    until(lambda: _is_frozen(frozen), 15, "it has claimed a slot and is frozen")
    claimed = [run for run in pair.rig.runs("beat") if run["state"] == "STARTING"][-1]

    # when another one takes over, and then it wakes
    follower.start(within_s=40)
    frozen.signal(signal.SIGCONT)
    until(lambda: frozen.phase() == "standby", 5, "the frozen one stands by")

    # then its claim was withdrawn, and its worker, started late, did nothing
    assert _run(pair, claimed["_id"])["state"] == "CANCELLED"
    log = Path(claimed["log"])
    until(lambda: log.exists() and "run_not_ours" in log.read_text(), 10, "its worker has found the run taken back")
    assert [row for row in pair.rig.effects("beat", "start") if row["run"] == claimed["_id"]] == []
    beats_again(pair)


def test_k24_after_the_lease_was_deleted_there_is_one_leader_with_a_greater_token(pair: Pair) -> None:
    leader, _ = pair.ready()
    before = token(leader)

    pair.rig.database.leases.delete_one({"_id": "leader"})

    until(lambda: max(token(each) for each in pair.now()) > before and sorted(
        each.phase() for each in pair.now()) == ["running", "standby"], 15, "one of them leads anew")
    beats_again(pair)


def test_k64_a_store_from_an_older_backup_is_not_led_until_somebody_says_so(pair: Pair) -> None:
    # given a daemon that has led with a token greater than the store knows
    leader, standby = pair.ready()
    standby.stop()
    used = token(leader)
    leader.stop()
    pair.rig.database.leases.update_one({"_id": "leader"}, {"$set": {"token": 0, "expires_ms": 0}})
    pair.rig.database.leases.update_one({"_id": "greatest_token"}, {"$set": {"token": 0}})
    bodies = len(pair.rig.effects("beat", "start"))

    # when it starts again
    leader.begin()
    until(lambda: leader.phase() == "standby", 30, "it refuses to lead")

    # then it says why, and runs nothing
    problem = leader.ask("GET", "/leader")["problem"]
    assert f"has already led with {used}" in problem
    assert "tradectl leader --reset" in problem
    time.sleep(2.5)
    assert len(pair.rig.effects("beat", "start")) == bodies

    # and after somebody has said so it leads under a token greater than any before
    leader.ask("POST", "/leader/reset", {})
    until(lambda: leader.phase() == "running", 10, "it leads")
    assert token(leader) > used
    beats_again(pair)


def test_every_slot_of_all_this_has_one_outcome(pair: Pair) -> None:
    """The invariants, over everything that the tests above have done to the two."""
    for daemon in pair.now():
        if daemon.is_alive():
            assert daemon.stop() == 0
    assert violations(pair.rig.evidence(), {"beat": 1}) == []


def test_k21_of_two_contenders_one_wins_each_of_ten_rounds(server: StoreServer, tmp_path: Path) -> None:
    assert_one_wins(server, tmp_path, rounds=10)


@pytest.mark.soak
def test_k21_of_two_contenders_one_wins_each_of_a_hundred_rounds(server: StoreServer, tmp_path: Path) -> None:
    assert_one_wins(server, tmp_path, rounds=100)


def assert_one_wins(server: StoreServer, folder: Path, rounds: int) -> None:
    """Contend in two processes at once; the tokens of the winners rise."""
    rig = Rig(folder / "rig", server, {})
    store = connect(server.uri, rig.database.name)
    set_up_schema(store)
    store.close()
    contenders = [_contender(rig, name) for name in "ab"]
    try:
        winners = [_one_round(contenders) for _ in range(rounds)]
    finally:
        for each in contenders:
            each.kill()
            each.wait()
    assert [len(tokens) for tokens in winners] == [1] * rounds
    tokens = [token for each in winners for token in each]
    assert tokens == sorted(set(tokens))
    assert rig.close() == []


def _contender(rig: Rig, name: str) -> "subprocess.Popen[str]":
    words = [sys.executable, str(Path(__file__).with_name("contender.py")), rig.server.uri, rig.database.name,
             str(rig.folder / f"token_{name}")]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                               env=os.environ | {MARK: str(rig.folder)})
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def _one_round(contenders: "list[subprocess.Popen[str]]") -> list[int]:
    answers = _told(contenders, "begin")
    assert _told(contenders, "end") == ["ended", "ended"]
    return [int(answer.split()[1]) for answer in answers if answer.startswith("leads")]


def _told(contenders: "list[subprocess.Popen[str]]", word: str) -> list[str]:
    """Tell both, then read what each says."""
    for each in contenders:
        assert each.stdin is not None
        each.stdin.write(word + "\n")
        each.stdin.flush()
    return [each.stdout.readline().strip() for each in contenders if each.stdout is not None]


def _run(pair: Pair, run: str) -> dict[str, Any]:
    found = pair.rig.database.process_runs.find_one({"_id": run})
    assert found is not None
    return found


def _is_frozen(daemon: Daemon) -> bool:
    stat = Path(f"/proc/{daemon.pid}/stat").read_text()
    return stat[stat.rindex(")") + 2] == "T"
