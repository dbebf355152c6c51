"""Halts trading when another program leads than the one that led last, until a person lets it (RC-30, RC-41).

An old program that is left on one of several hosts has ruined a firm within the hour. Lowering the level is the
approval: it needs a person and a reason, and both stay on record.
"""

import asyncio
from typing import Final

from daemon.program import program_digest
from daemon.store.async_store import AsyncStore
from trading.clock import Clock
from trading.data.mongo.config_revisions import MongoConfigRevisions
from trading.data.mongo.schema import SCHEMA_VERSION
from trading.risk.check import Outcome
from trading.risk.controls.versions import Versions, at_start
from trading.risk.kill_level import Cause, Command, KillLevel

WHO: Final = "version guard"


async def guard_versions(store: AsyncStore, clock: Clock, config: str) -> str:
    """Raise to K3 when program or configuration are not those that may trade; why, or nothing.

    The first program that ever leads on a database is the one that may. The level is raised before the program is
    noted: a death in between raises it again.

    Args:
        config: the fingerprint of the configuration in use.
    """
    running = Versions(code=await asyncio.to_thread(program_digest), schema=SCHEMA_VERSION, config=config)
    known = await store.call(store.settings.program)
    newest = await store.call(MongoConfigRevisions(store.store).newest)
    code, schema = known or (running.code, running.schema)
    approved = Versions(code=code, schema=schema, config=newest.sha256 if newest else running.config)
    why = " ".join(check.sentence for check in at_start(running, approved) if check.outcome is not Outcome.PASS)
    if why:
        await store.call(store.kill.raise_to, KillLevel.K3_HALT,
                         Command(who=WHO, why=why, when=clock.now(), cause=Cause.CONTROL))
    await store.call(store.settings.save_program, running.code, running.schema)
    return why
