"""How each instrument rolls at the moment, since when and why: one document an instrument, with its chain of events."""

from dataclasses import dataclass, replace
from datetime import datetime

from pymongo.client_session import ClientSession

from trading.data.mongo.chained_settings import ChainedSettings
from trading.data.mongo.connection import MongoStore
from trading.execution.rolls.states import RollState


@dataclass(frozen=True, kw_only=True)
class StoredRollState:
    """The state of one instrument. `reason` is the sentence of the rule or the person; `day` the trading day of it."""

    instrument: str
    state: RollState
    reason: str
    who: str
    at: datetime
    day: str
    front: str = ""  # the contract that the state is about
    row: int = 0  # of the rules' table; 0: a person set it
    version: int = 0


class MongoRollStates:
    """Roll states; an instrument without one is at NO_ROLL."""

    def __init__(self, store: MongoStore) -> None:
        self._settings = ChainedSettings(store, "roll_states")

    def all(self) -> dict[str, StoredRollState]:
        return {row["_id"]: StoredRollState(
            instrument=row["_id"], state=RollState(row["state"]), reason=row["reason"], who=row["who"], at=row["at"],
            day=row["day"], front=row["front"], row=row["row"], version=row["v"]) for row in self._settings.rows()}

    def put(self, found: StoredRollState, session: ClientSession | None = None) -> StoredRollState:
        """Write a state against the version that it was read at.

        Raises:
            ConcurrentUpdate: somebody wrote since; read it and decide again.
        """
        version = self._settings.put(found.instrument, {
            "state": found.state.value, "reason": found.reason, "who": found.who, "at": found.at, "day": found.day,
            "front": found.front, "row": found.row},
            found.version, session)
        return replace(found, version=version)
