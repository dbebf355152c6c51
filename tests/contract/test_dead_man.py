"""The ping to a watcher outside: only while all is well, and whatever the watcher does."""

import asyncio

import pytest
from alert_servers import Hook, free_port, silent_server, web_server

from daemon.watching.dead_man import ping_forever
from trading.alerts_config import DeadManConfig


async def pinged(config: DeadManConfig, healthy: list[bool]) -> None:
    """Ping once for each of `healthy`, without waiting in between."""
    answers = iter(healthy)
    left = asyncio.Semaphore(len(healthy) - 1)

    async def sleep(_seconds: float) -> None:
        if left.locked():
            raise asyncio.CancelledError
        await left.acquire()

    await asyncio.wait_for(ping_forever(config, lambda: next(answers), timeout_s=1.0, sleep=sleep), 20)


def test_the_watcher_is_pinged_only_while_all_is_well() -> None:
    hook = Hook()
    with web_server(hook) as url, pytest.raises(asyncio.CancelledError):
        asyncio.run(pinged(DeadManConfig(url=f"{url}/ping/1"), [True, False, False, True]))
    assert hook.paths == ["/ping/1", "/ping/1"]


def test_pinging_goes_on_after_a_failure() -> None:
    hook = Hook(status=500)
    with web_server(hook) as url, pytest.raises(asyncio.CancelledError):
        asyncio.run(pinged(DeadManConfig(url=url), [True, True, True]))
    assert len(hook.paths) == 3


def test_a_watcher_that_is_away_or_hangs_stops_nothing() -> None:
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(pinged(DeadManConfig(url=f"http://127.0.0.1:{free_port()}/"), [True, True]))
    with silent_server() as port, pytest.raises(asyncio.CancelledError):
        asyncio.run(pinged(DeadManConfig(url=f"http://127.0.0.1:{port}/"), [True, True]))


def test_without_an_address_nothing_is_pinged() -> None:
    assert asyncio.run(ping_forever(DeadManConfig(), lambda: True)) is None
