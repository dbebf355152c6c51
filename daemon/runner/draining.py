"""The end of a leader's work: nothing more is started, what runs is asked to stop, and its ends are waited for."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from pymongo.errors import PyMongoError

from daemon.decisions.run_outcome import Intervention, Why
from daemon.runner.ledger import Ledger
from daemon.runner.live_runs import LiveRun, LiveRuns
from daemon.runner.operator_desk import OperatorDesk
from trading.control.process_run import ProcessRun
from trading.errors import TradingError
from trading.log import get_log

log = get_log()

_STOP_WITHIN_S: Final = 10.0  # beyond the graces of the jobs
_REASON: Final = "tradingd is stopping"


@dataclass(kw_only=True)
class Draining:
    """For a runner that is held already, so that no later look starts anything."""

    ledger: Ledger
    live: LiveRuns
    desk: OperatorDesk
    tell: Callable[[str], None]
    withdraw_claims: Callable[[], Awaitable[None]]  # of runs that were never launched
    _asking: "dict[str, asyncio.Task[None]]" = field(default_factory=dict)

    async def run(self, names: Iterable[str]) -> None:
        """Return when all has ended, or, whatever hangs, when every grace and ten seconds are over."""
        try:
            async with asyncio.timeout(_STOP_WITHIN_S) as limit:
                self._ask_all(limit)
                for name in names:
                    async with self.ledger.lock(name):  # a look that was under way may have started something
                        self._ask_all(limit)
                while running := self.live.running():
                    await asyncio.wait([each.ended for each in running])
        except TimeoutError:
            log.warning("stopped_waiting", runs=[each.run.id for each in self.live.running()])
        await self._leave_nothing_claimed()

    async def _leave_nothing_claimed(self) -> None:
        try:
            async with asyncio.timeout(_STOP_WITHIN_S / 2):
                await self.withdraw_claims()
        except (TradingError, PyMongoError, TimeoutError) as error:
            log.warning("claims_not_withdrawn", reason=str(error)[:200] or "no answer in time",
                        effect="the next tradingd finds them")

    def _ask_all(self, limit: asyncio.Timeout) -> None:
        newcomers = [each for each in self.live.running() if each.run.id not in self._asking]
        for each in newcomers:
            self.tell(f"waiting for {each.run.process} to stop (at most {each.process.grace} s)")
            self._asking[each.run.id] = asyncio.ensure_future(self._ask(each.run))
        self._wait_for(newcomers, limit)

    def _wait_for(self, newcomers: list[LiveRun], limit: asyncio.Timeout) -> None:
        if newcomers:
            longest_s = max(each.process.grace for each in newcomers)
            until_s = asyncio.get_running_loop().time() + longest_s + _STOP_WITHIN_S
            limit.reschedule(max(until_s, limit.when() or until_s))

    async def _ask(self, run: ProcessRun) -> None:
        try:
            async with asyncio.timeout(_STOP_WITHIN_S / 2):
                await self.desk.stop_process(run.process, _REASON, "supervisor")
        except (TradingError, PyMongoError, TimeoutError) as error:
            if run.id in self.live:
                log.warning("stop_not_recorded", run=run.id, reason=str(error)[:200] or "no answer in time")
                await self.live.intervene(run.id, Intervention(why=Why.STOPPED, reason=_REASON))
