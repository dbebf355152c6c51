"""The alerts, as the rest of the daemon sees them: `tell` and `over` return at once, `run` does the rest."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from daemon.alerts import alert_book
from daemon.alerts.alert_book import Outcome, Rules
from daemon.alerts.alert_memory import AlertMemory, Step
from daemon.alerts.channels import Channel
from daemon.alerts.delivery import DELAYS_S, Delivery
from daemon.alerts.stored_alerts import AlertStore
from trading.alerts_config import AlertsConfig
from trading.clock import Clock, from_milliseconds, to_milliseconds
from trading.control.alert import (
    DEFAULT_SEVERITY,
    Alert,
    AlertKind,
    AlertState,
    Audience,
    Message,
    Severity,
    alert_key,
)
from trading.errors import NotFound
from trading.log import get_log

log = get_log()

Answer = Callable[[AlertState, str, str, datetime], AlertState]

LOOK_EVERY_S: Final = 15.0
ABANDONED: Final = timedelta(minutes=2)  # a message that waits so long was left behind by a daemon that ended


class Alerts:
    """Who was told what. Call it on the event loop only. The log has every message, whatever the channels do."""

    def __init__(  # noqa: PLR0913 (wiring)
            self, store: AlertStore, clock: Clock, config: AlertsConfig, usual: Sequence[Channel] = (),
            escalation: Sequence[Channel] = (), *, look_every_s: float = LOOK_EVERY_S,
            delays_s: Sequence[float] = DELAYS_S) -> None:
        self._memory, self._clock, self._look_every_s = AlertMemory(store), clock, look_every_s
        self._rules = rules_of(config, escalates=bool(escalation))
        self._deliveries = {
            Audience.USUAL: [Delivery(channel, clock, self._settle, delays_s) for channel in usual],
            Audience.ESCALATION: [Delivery(channel, clock, self._settle, delays_s) for channel in escalation]}
        self._steps: asyncio.Queue[tuple[str, Step]] = asyncio.Queue()
        self._sent: set[str] = set()  # given to the channels
        self._settled: set[str] = set()  # taken by one of them, or given up

    def tell(self, kind: AlertKind, subject: str, text: str, severity: Severity | None = None) -> None:
        """Something is wrong, or has happened. `text` is a sentence that stays the same while the matter does."""
        alert = Alert(kind=kind, subject=subject, text=text, at=self._now(),
                      severity=severity or DEFAULT_SEVERITY[kind])
        self._steps.put_nowait((alert.key, lambda state: alert_book.raised(state, alert, self._rules)))

    def over(self, kind: AlertKind, subject: str) -> None:
        """It is right again; says nothing when it was."""
        at = self._now()
        self._steps.put_nowait((alert_key(kind, subject), lambda state: _if_open(state, at, self._rules)))

    async def run(self) -> None:
        """Remember, send and look again until cancelled."""
        async with asyncio.TaskGroup() as group:
            for delivery in self._all_deliveries():
                group.create_task(delivery.run())
            group.create_task(self._apply_forever())
            group.create_task(self._look_forever())

    async def acknowledge(self, key_or_subject: str, by: str, reason: str) -> list[AlertState]:
        """Silence the open alerts of that key or subject; they as they stand then.

        Raises:
            NotFound: there is none; the message lists the open ones.
        """
        return await self._answered(key_or_subject, by, reason, alert_book.acknowledged)

    async def put_away(self, key_or_subject: str, by: str, reason: str) -> list[AlertState]:
        """As `acknowledge`, for those that nothing else will ever end: a process that is no more, for example."""
        return await self._answered(key_or_subject, by, reason, alert_book.put_away)

    async def _answered(self, key_or_subject: str, by: str, reason: str, answer: Answer) -> list[AlertState]:
        open_ones, at = await self.open_alerts(), self._now()
        chosen = [state for state in open_ones if key_or_subject in (state.key, state.subject)]
        if not chosen:
            known = ", ".join(state.key for state in open_ones) or "none"
            raise NotFound(f"No open alert is called {key_or_subject} (open: {known}). See: tradectl alerts")
        for state in chosen:
            await self._memory.change(state.key, lambda now: _if_known(now, by, reason, at, answer))
            log.info("alert_acknowledged", alert=state.key, by=by, reason=reason, how=answer.__name__)
        known_now = {state.key: state for state in self._memory.states}
        return [known_now.get(state.key, state) for state in chosen]

    async def open_alerts(self) -> list[AlertState]:
        """The open ones, the most severe first."""
        await self._memory.refresh()
        open_ones = [state for state in self._memory.states if state.open]
        return sorted(open_ones, key=lambda state: (-state.severity.rank, state.first_at, state.key))

    async def recent(self, limit: int = 100) -> list[AlertState]:
        """The newest first, open or not."""
        return await self._memory.recent(limit)

    @property
    def open_by_severity(self) -> dict[Severity, int]:
        """How many are open, for the metrics; acknowledged ones count."""
        severities = [state.severity for state in self._memory.states if state.open]
        return {severity: severities.count(severity) for severity in Severity}

    @property
    def delivery_problems(self) -> dict[str, str]:
        """The channels that do not work, each with its reason."""
        return {each.name: each.problem for each in self._all_deliveries() if each.problem is not None}

    async def flushed(self, within_s: float) -> bool:
        """Wait until all that was told is applied and sent, for example before the service stops; False: it is not."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._steps.join()
                while not all(delivery.idle for delivery in self._all_deliveries()):
                    await asyncio.sleep(0.05)
                await self._steps.join()
                return True
        return False

    async def look(self) -> None:
        """Look at every alert once: repeats, escalations, messages that a daemon before us left behind."""
        await self._memory.try_again()
        now = self._now()
        for state in self._memory.states:
            self._send(await self._memory.change(state.key, lambda state: self._looked_at(state, now)))
        for state in self._memory.states:
            for message in state.outbox:
                if message.id not in self._sent and abs(now - message.at) >= ABANDONED:
                    self._send_one(message)
        if self._memory.complete:
            waiting = {message.id for state in self._memory.states for message in state.outbox}
            self._settled &= waiting
            self._sent &= waiting

    async def _apply_forever(self) -> None:
        while True:
            key, step = await self._steps.get()
            self._send(await self._memory.change(key, step))
            self._steps.task_done()

    async def _look_forever(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(self._look_every_s)

    def _looked_at(self, state: AlertState | None, now: datetime) -> Outcome | None:
        if state is None:
            return None
        waiting = tuple(message for message in state.outbox if message.id not in self._settled)
        return alert_book.due_again(replace(state, outbox=waiting), now, self._rules)

    def _send(self, outcome: Outcome | None) -> None:
        for message in outcome[1] if outcome is not None else ():
            self._send_one(message)

    def _send_one(self, message: Message) -> None:
        log.warning("alert", alert=message.key, reason=message.reason.value, severity=message.severity.value,
                    text=message.text, audience=message.audience.value)
        self._sent.add(message.id)
        for delivery in self._deliveries[message.audience]:
            delivery.put(message)
        if not self._deliveries[message.audience]:
            self._settle(message)

    def _settle(self, message: Message) -> None:
        self._settled.add(message.id)
        self._steps.put_nowait((message.key, lambda state: _without(state, message)))

    def _all_deliveries(self) -> list[Delivery]:
        return [delivery for deliveries in self._deliveries.values() for delivery in deliveries]

    def _now(self) -> datetime:
        return from_milliseconds(to_milliseconds(self._clock.now()))  # as precise as the store


def rules_of(config: AlertsConfig, *, escalates: bool) -> Rules:
    """The rules that `config` asks for; without channels to escalate to nothing is escalated."""
    return Rules(repeat_after=timedelta(seconds=config.repeat_after), quiet=timedelta(seconds=config.quiet),
                 escalate_after=timedelta(seconds=config.escalate_after) if escalates else None)


def _if_open(state: AlertState | None, at: datetime, rules: Rules) -> Outcome | None:
    return None if state is None or not state.open else alert_book.over(state, at, rules)


def _if_known(state: AlertState | None, by: str, reason: str, at: datetime, answer: Answer) -> Outcome | None:
    return None if state is None or not state.open else (answer(state, by, reason, at), ())


def _without(state: AlertState | None, message: Message) -> Outcome | None:
    return None if state is None else (alert_book.delivered(state, message.id), ())
