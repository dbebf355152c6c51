"""A task that is asked to end does so, also where something it waited for has swallowed the first request."""

import asyncio

import pytest

from daemon import ending
from daemon.ending import ended


async def _for_ever(swallowed: list[str]) -> None:
    """Heeds the second cancellation only."""
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            if swallowed:
                raise
            swallowed.append(str(error))


def test_it_is_asked_until_it_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "_PATIENCE_S", 0.0)
    swallowed: list[str] = []

    async def body() -> bool:
        task = asyncio.create_task(_for_ever(swallowed))
        await asyncio.sleep(0)
        await ended(task)
        return task.cancelled()

    assert asyncio.run(body())
    assert len(swallowed) == 1


def test_one_that_has_failed_says_so_and_one_that_is_done_says_nothing() -> None:
    async def failing() -> None:
        raise ValueError("broken")

    async def body() -> None:
        done = asyncio.create_task(asyncio.sleep(0))
        await done
        await ended(done)
        failed = asyncio.create_task(failing())
        await asyncio.wait({failed})
        await ended(failed)

    with pytest.raises(ValueError, match="broken"):
        asyncio.run(body())
