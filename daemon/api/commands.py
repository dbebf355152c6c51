"""Commands of operators: read from a request, carried out once, and answered the same when they arrive again."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from json import JSONDecodeError
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from daemon.api.peer import actor_of
from daemon.store.async_store import AsyncStore
from trading.clock import Clock
from trading.errors import ConfigError, TradingError

Values = dict[str, Any]
AnswerError = Callable[[Request, Exception], Awaitable[JSONResponse]]


class BeingDone(TradingError):
    """The same command came before and has no answer yet."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """What somebody asks for."""

    verb: str
    target: str
    actor: str
    reason: str
    id: str = ""  # chosen by whoever asks; empty: it is not remembered
    values: Values = field(default_factory=dict)


async def command_of(request: Request, verb: str, target: str) -> Command:
    """The command in `request`.

    Raises:
        ConfigError: its body is no JSON object.
    """
    try:
        values = await request.json() if await request.body() else {}
    except (JSONDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"The body of {verb} is no JSON: {error}. Nothing was done.") from error
    if not isinstance(values or {}, dict):
        raise ConfigError(f"The body of {verb} must be a JSON object, as in {{\"reason\": \"holiday\"}}.")
    values = values or {}
    return Command(verb=verb, target=target, actor=actor_of(request, values.get("actor")),
                   reason=str(values.get("reason") or "no reason given"), id=str(values.get("id") or ""), values=values)


class Commands:
    """Carries each command out once.

    With `may_repeat`, what is asked for is done once however often it is acted on, so a command that a killed daemon
    has left without an answer is acted on again when it arrives again.
    """

    def __init__(self, store: AsyncStore, clock: Clock, answer_error: AnswerError, *, may_repeat: bool = False) -> None:
        self._store, self._clock, self._answer_error, self._may_repeat = store, clock, answer_error, may_repeat

    async def once(self, request: Request, command: Command, act: Callable[[], Awaitable[Values]]) -> JSONResponse:
        """The answer to `command`: that of `act`, or the one that it got before."""
        if not command.id:
            return JSONResponse(await act())
        commands = self._store.commands
        known = await self._store.call(commands.accept, command.id, {
            "verb": command.verb, "target": command.target, "actor": command.actor, "reason": command.reason},
            self._clock.now())
        if known is not None and known["state"] != "accepted":
            return JSONResponse(known["result"], status_code=known.get("status", 200))
        if known is not None and not self._may_repeat:
            what = f"{command.verb} {command.target}".rstrip()
            raise BeingDone(f"{what} came before and is being carried out. See: tradectl status")
        try:
            answer = JSONResponse(result := await act())
        except TradingError as error:
            answer = await self._answer_error(request, error)
            result = {"error": str(error), "kind": type(error).__name__}
        await self._store.call(commands.answer, command.id, answer.status_code, result)
        return answer
