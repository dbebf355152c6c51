"""Two daemons on one store with one gateway (orders_and_risk.md 7.1, V36): one stream of orders, whatever is stopped,
killed or frozen in the middle of sending."""

import signal
from collections.abc import Iterator

import pytest
from rig import StoreServer
from trading_scene import until
from two_traders import TwoTraders, crowd, has_gateway, in_the_middle, no_one_stream, phase, takes_over, work

ORDERS = 12
CLAIM_OR_SENT = "daemon:broker_orders+events"  # by turns


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoTraders]:
    server = StoreServer(tmp_path_factory.mktemp("server"))
    server.start()
    two = TwoTraders(tmp_path_factory.mktemp("two"), server)
    try:
        yield two
    finally:
        two.end()
        server.end()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
def test_o10_a_leader_that_ends_in_the_middle_of_sending_leaves_one_stream(two: TwoTraders, number: int) -> None:
    leader, standby = two.ready()
    orders = crowd(leader, ORDERS)
    in_the_middle(leader, orders)

    assert leader.process is not None
    leader.process.send_signal(number)
    takes_over(standby)

    work(standby, orders)
    assert list(no_one_stream(standby, orders)) == []


@pytest.mark.parametrize("write", [5, 6], ids=["behind its claim", "behind its send"])
def test_o10_a_leader_that_is_frozen_in_the_middle_of_sending_sends_nothing_when_it_wakes(two: TwoTraders,
                                                                                          write: int) -> None:
    # given a leader that freezes while it sends the third of many orders
    leader, standby = two.ready()
    orders = crowd(leader, ORDERS)
    two.notes.plan(CLAIM_OR_SENT, write, "SIGSTOP")
    leader.start_handler()
    until(lambda: len([each for each in two.notes.writes() if each.kind == CLAIM_OR_SENT]) == write, 30, "it is frozen")

    # when its connection is cut, the other one takes over with the broker, and then it wakes
    assert leader.process is not None
    try:
        takes_over(standby)
        leader.gateway.fault("close")
        until(lambda: standby.link == "ready", 30, "the other one is connected")
    finally:
        leader.process.send_signal(signal.SIGCONT)
    until(lambda: phase(leader) == "standby", 20, "the one that was frozen stands by")

    # then there is one stream
    until(lambda: has_gateway(standby), 60, "the gateway is there")
    work(standby, orders)
    assert list(no_one_stream(standby, orders)) == []
