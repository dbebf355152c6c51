"""O46: the embedded store itself can write no more, as on a full disk: no file of its process may grow from here on."""

import resource

import pytest
from rig import children_of
from trading_scene import Traded, TradingScene, until

from trading.errors import TradingError
from trading.unix_socket import DaemonRefused


def the_store(scene: TradingScene) -> int:
    """Its process; 0 while there is none."""
    assert scene.process is not None
    return next((pid for pid, words in children_of(scene.process.pid) if "secantusd" in words), 0)


def grows_no_more(pid: int) -> None:
    """Each write behind the first page of a file fails from now on, until the process is another."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, hard))


def test_o46_a_store_without_room_sends_nothing_and_goes_on_when_there_is_some(scene: TradingScene) -> None:
    # given an order, and a store whose next write fails
    order, store = scene.want(scene.an_instrument(), 1), the_store(scene)
    assert store
    grows_no_more(store)

    # then nothing is started, nothing is sent, and a person reads why
    with pytest.raises(DaemonRefused, match="The store refuses"):
        scene.start_handler()
    until(lambda: not scene.status()["store"]["answers"], 20, "the service has noticed")
    assert "The store refuses" in scene.status()["store"]["problem"]
    assert not scene.has_arrived(order)

    # and after a minute it is started again; with room for its files everything goes on, and the order is sent once
    until(lambda: the_store(scene) not in (0, store), 100, "another store is there")
    until(lambda: works(scene), 60, "it answers")
    scene.forget_stores()
    scene.settle()
    traded = Traded(scene, order, {})
    assert (traded.executed, traded.filled, len(traded.at_gateway)) == (1, 1, 1)
    assert (scene.books(), scene.locks()) == (scene.theirs(), {})


def works(scene: TradingScene) -> bool:
    try:
        shown = scene.status()
    except TradingError:
        return False
    return bool(shown["store"]["answers"]) and shown["broker"]["link"] == "ready"
