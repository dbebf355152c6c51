"""The supervisor notices when something that watches has ended."""

import asyncio
from pathlib import Path
from typing import cast

import pytest

from daemon.children.zygote_process import ZygoteProcess
from daemon.configuration.boot import Boot
from daemon.market.recorded_market import Wishes
from daemon.places import Places
from daemon.supervisor import PartEnded, Supervisor


async def _breaks() -> None:
    raise ZeroDivisionError("nobody thought of that")


async def _returns() -> None:
    return


@pytest.mark.parametrize(("part", "why"), [(_breaks, "nobody thought of that"), (_returns, "None")])
def test_it_does_not_go_on_half_blind(part: object, why: str) -> None:
    async def story() -> None:
        supervisor = Supervisor(boot=cast(Boot, None), folder=Path(), places=cast(Places, None),
                                zygote=cast(ZygoteProcess, None),
                                wishes=Wishes(play_day=False, once=False, again=False, data=None))
        supervisor._watching = [asyncio.create_task(part(), name="the clock")]  # type: ignore[operator]
        await supervisor._until_ended(asyncio.Event().wait())

    with pytest.raises(PartEnded, match="watches over the clock has ended") as told:
        asyncio.run(story())
    assert why in str(told.value)
