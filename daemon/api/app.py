"""The control API of a leading daemon: one ASGI application on the Unix socket, for tradectl, workers and dashboard."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from ulid import ULID

from daemon.api.broker_link import BrokerRoutes
from daemon.api.commands import Command, Commands, Values, command_of
from daemon.api.config_routes import ConfigRoutes
from daemon.api.errors import EXCEPTION_HANDLERS, refused
from daemon.api.trading_routes import TradingRoutes
from daemon.clocks.clock_desk import ClockDesk
from daemon.configuration.live_config import LiveConfig
from daemon.decisions.slots import slots_between
from daemon.process_runner import ProcessRunner
from daemon.store.async_store import AsyncStore
from daemon.watching.status import history_rows, process_row
from trading.clock import Clock
from trading.control.change import Cause
from trading.control.due_slot import DueSlot, slot_key
from trading.control.process_control import ProcessControl
from trading.control.process_run import Kind, RunState
from trading.errors import ConfigError, NotFound

_MOST_BACKFILLED = 1000


@dataclass(frozen=True, kw_only=True)
class ControlParts:
    """What the API shows and moves."""

    runner: ProcessRunner
    store: AsyncStore
    clock: Clock
    clock_desk: ClockDesk
    broker: BrokerRoutes
    trading: TradingRoutes
    live: LiveConfig
    config: ConfigRoutes
    common: Callable[[], list[Route]]  # what a standby serves too
    service_status: Callable[[], dict[str, Any]]
    upcoming: Callable[[int], list[dict[str, Any]]]


class ControlApi:
    """Routes for people; the broker link's routes stand beside them."""

    def __init__(self, parts: ControlParts) -> None:
        self._parts = parts
        self._commands = Commands(parts.store, parts.clock, refused)

    def application(self) -> Starlette:
        verbs: dict[str, Callable[[Command], Awaitable[Values]]] = {
            "run": self._run, "stop": self._stop, "kill": self._kill, "pause": self._pause, "resume": self._resume,
            "reset": self._reset, "skip": self._skip, "backfill": self._backfill}
        routes = [
            Route("/status", self.status), Route("/schedule/next", self.schedule_next), Route("/events", self.events),
            Route("/processes/{name}/history", self.history),
            *(Route(f"/processes/{{name}}/{verb}", self._about_process(verb, act), methods=["POST"])
              for verb, act in verbs.items()),
            Route("/runs/resolve", self._plain("resolve", self._resolve), methods=["POST"]),
            Route("/drain", self._plain("drain", self._drain), methods=["POST"]),
            Route("/clock/accept", self._plain("accept", self._accept_clock), methods=["POST"]),
            *self._parts.config.routes(), *self._parts.common(), *self._parts.broker.routes(),
            *self._parts.trading.routes()]
        return Starlette(routes=routes, exception_handlers=EXCEPTION_HANDLERS)

    # --- what is -----------------------------------------------------------------------------------------------

    async def status(self, _request: Request) -> JSONResponse:
        parts = self._parts
        controls = await parts.runner.controls()
        runner, now = parts.runner, parts.clock.now()
        rows = [process_row(control, now, runner.why.get(name, ""), runner.next_slots.get(name))
                for name, control in controls.items()]
        return JSONResponse(parts.service_status() | {"processes": rows})

    async def schedule_next(self, request: Request) -> JSONResponse:
        count = request.query_params.get("count", "20")
        if not count.isdecimal() or not 1 <= int(count) <= 10_000:
            raise ConfigError(f"count is {count!r}; it must be a number from 1 to 10000.")
        return JSONResponse(self._parts.upcoming(int(count)))

    async def history(self, request: Request) -> JSONResponse:
        name, store, limit, now = self._known(request), self._parts.store, _limit(request), self._parts.clock.now()
        runs = await store.call(store.processes.runs, name, limit, now)
        ticks = await store.call(store.processes.ticks, name, limit, now)
        return JSONResponse(history_rows(runs, ticks, limit))

    async def events(self, request: Request) -> JSONResponse:
        asked, store = request.query_params, self._parts.store
        rows = await store.call(store.processes.events, asked.get("process"), asked.get("after", ""), _limit(request))
        return JSONResponse([event_row(row) for row in rows])

    # --- commands ----------------------------------------------------------------------------------------------

    def _about_process(self, verb: str, act: Callable[[Command], Awaitable[Values]]) -> Any:
        async def answer(request: Request) -> JSONResponse:
            name = self._known(request)
            command = await command_of(request, verb, name)
            return await self._commands.once(request, command, lambda: act(command))
        return answer

    def _known(self, request: Request) -> str:
        name, processes = str(request.path_params["name"]), self._parts.runner.plan.processes
        if name not in processes:
            raise NotFound(f"There is no process {name} (known: {', '.join(processes)}).")
        return name

    def _plain(self, verb: str, act: Callable[[Command], Awaitable[Values]]) -> Any:
        async def answer(request: Request) -> JSONResponse:
            command = await command_of(request, verb, "")
            return await self._commands.once(request, command, lambda: act(command))
        return answer

    async def _run(self, command: Command) -> Values:
        parts, now = self._parts, self._parts.clock.now()
        slot = DueSlot(key=f"manual-{ULID()}", kind=Kind.MANUAL, due=now, not_before=now,
                       trading_day=parts.runner.plan.days.day_of(now))
        run = await parts.runner.run_single_process(command.target, slot, force=bool(command.values.get("force")),
                                                    actor=command.actor, reason=command.reason)
        if command.values.get("wait"):
            run = await parts.runner.wait_for(run.id)
        return {"run": run.id, "state": run.state.value, "reason": run.reason, "log": run.log}

    async def _stop(self, command: Command) -> Values:
        return _brief(await self._parts.runner.desk.stop_process(command.target, command.reason, command.actor))

    async def _kill(self, command: Command) -> Values:
        return _brief(await self._parts.runner.desk.kill_process(command.target, command.reason, command.actor))

    async def _pause(self, command: Command) -> Values:
        until = _instant(command.values["until"]) if command.values.get("until") else None
        return _brief(await self._parts.runner.desk.pause_process(command.target, command.reason, command.actor, until))

    async def _resume(self, command: Command) -> Values:
        return _brief(await self._parts.runner.desk.resume_process(command.target, command.reason, command.actor))

    async def _reset(self, command: Command) -> Values:
        return _brief(await self._parts.runner.desk.reset_process(command.target, command.reason, command.actor))

    async def _skip(self, command: Command) -> Values:
        """Call a future slot off."""
        key = slot_key(_instant(command.values.get("slot")))
        return await self._change(command, lambda control: replace(control, skips=(*control.skips, key)))

    async def _backfill(self, command: Command) -> Values:
        """Run the slots of a past time again, oldest first, one after the other."""
        slots = self._slots_of_the_past(command)
        if command.values.get("dry_run") or not slots:
            return {"process": command.target, "slots": [slot.key for slot in slots], "done": False}
        waiting = [await self._with_attempt(command.target, slot) for slot in slots]
        await self._change(command, lambda control: replace(control, pending=(*control.pending, *waiting)))
        return {"process": command.target, "slots": [slot.key for slot in slots], "done": True}

    def _slots_of_the_past(self, command: Command) -> list[DueSlot]:
        plan, now = self._parts.runner.plan, self._parts.clock.now()
        process = plan.processes[command.target]
        start = _instant(command.values.get("from")) - timedelta(seconds=1)
        end = min(_instant(command.values.get("to")), now)
        most = min(int(command.values.get("max") or 10), _MOST_BACKFILLED)
        found = (slot for slot in slots_between(process, plan.zone_of(process), plan.calendar_of(process), start, end)
                 if not slot.left_out)
        return [DueSlot(key=slot_key(slot.instant), kind=Kind.BACKFILL, due=slot.instant, not_before=now,
                        trading_day=plan.days.day_of(slot.instant), nominals=tuple(map(str, slot.nominals)))
                for slot in islice(found, most)]

    async def _with_attempt(self, name: str, slot: DueSlot) -> DueSlot:
        store = self._parts.store
        return replace(slot, attempt=1 + await store.call(store.processes.attempts, name, slot.key))

    async def _resolve(self, command: Command) -> Values:
        state = {"finished": RunState.FINISHED, "failed": RunState.ERROR}.get(str(command.values.get("verdict")))
        if state is None:
            raise ConfigError("A lost run is resolved as finished or as failed: tradectl resolve RUN --finished")
        desk, run_id = self._parts.runner.desk, str(command.values.get("run"))
        run = await desk.resolve(run_id, state, command.reason, command.actor)
        return {"run": run.id, "state": run.state.value, "reason": run.reason}

    async def _drain(self, command: Command) -> Values:
        """Start nothing more until it is taken back; what runs works to its end, but services stop."""
        runner, is_over = self._parts.runner, bool(command.values.get("off"))
        runner.hold("drain", "" if is_over else f"draining ({command.actor}: {command.reason})")
        if not is_over:
            await runner.desk.stop_services(f"drained: {command.reason}", command.actor)
        return {"held": runner.held, "running": [each.run.id for each in runner.live.running()]}

    async def _accept_clock(self, command: Command) -> Values:
        """The clock is right: go on from here."""
        parts = self._parts
        await parts.clock_desk.accept(bool(command.values.get("rewind")), Cause(
            actor=command.actor, reason=f"the clock was accepted: {command.reason}"))
        return {"held": parts.runner.held, "clock": parts.clock.now().isoformat()}

    async def _change(self, command: Command, decide: Callable[[ProcessControl], ProcessControl]) -> Values:
        cause = Cause(actor=command.actor, reason=f"{command.verb}: {command.reason}")
        return _brief(await self._parts.runner.desk.change(command.target, decide, cause))


def event_row(row: dict[str, Any]) -> dict[str, Any]:
    """What `tradectl events` shows of one event."""
    at = ULID.from_str(row["_id"]).datetime.isoformat()
    return {"id": row["_id"], "at": at, "process": row["process"], "run": row.get("run"), "from": row.get("from"),
            "to": row.get("to"), "actor": row.get("actor"), "reason": row.get("cause"), "token": row.get("token"),
            "node": row.get("node"), "version": row.get("v_after")}


def _limit(request: Request) -> int:
    limit = request.query_params.get("limit", "100")
    if not limit.isdecimal() or not 1 <= int(limit) <= 10_000:
        raise ConfigError(f"limit is {limit!r}; it must be a number from 1 to 10000.")
    return int(limit)


def _brief(control: ProcessControl) -> Values:
    return {"process": control.name, "state": control.state.value, "desired": control.desired.value,
            "run": control.active_run}


def _instant(text: object) -> datetime:
    try:
        instant = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise ConfigError(f"{text!r} is no time; write ISO 8601 with an offset, as in "
                          f"2026-03-02T20:00+00:00.") from error
    if instant.tzinfo is None:
        raise ConfigError(f"{text!r} has no offset; write it in UTC, as in {text}+00:00.")
    return instant
