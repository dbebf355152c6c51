"""Errors as answers of the control API: the sentence, its kind, and a status that tells who has to do something."""

from typing import Any, Final

from pymongo.errors import PyMongoError
from starlette.requests import Request
from starlette.responses import JSONResponse

from daemon.api.commands import BeingDone
from daemon.api.server import TooLarge
from daemon.process_runner import NotAllowed
from trading.control.process_state import InvalidTransition
from trading.data.mongo.store_problem import store_problem
from trading.data.trading_desk.deed import DeedRefused
from trading.errors import BrokerUnavailable, ConcurrentUpdate, ConfigError, NotFound, SlotTaken, TradingError


async def refused(_request: Request, error: Exception) -> JSONResponse:
    conflicts = (NotAllowed, ConcurrentUpdate, SlotTaken, BeingDone, InvalidTransition, DeedRefused)
    status = 404 if isinstance(error, NotFound) else 503 if isinstance(error, BrokerUnavailable) else \
        409 if isinstance(error, conflicts) else 400 if isinstance(error, ConfigError) else \
        413 if isinstance(error, TooLarge) else 422
    return JSONResponse({"error": str(error), "kind": type(error).__name__}, status_code=status)


async def store_away(_request: Request, error: Exception) -> JSONResponse:
    said = store_problem(error) if isinstance(error, PyMongoError) else str(error)
    return JSONResponse({"error": said, "kind": "StoreError"}, status_code=503)


EXCEPTION_HANDLERS: Final[dict[Any, Any]] = {TradingError: refused, PyMongoError: store_away}
