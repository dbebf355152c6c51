"""Which daemon acts. Leadership ends by itself: no renewal, for whatever reason, means not leading (fail closed).

The lease is taken and renewed on the store; its expiry is judged by the store's clock, our own deadline by our
monotonic clock, which started before the request was sent. Losing the lease starts nothing and stops nothing: it only
ends deciding, and the fencing token keeps whatever was decided before from being written after.
"""

import asyncio
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pymongo.errors import PyMongoError

from daemon.children.worker_identity import boot_id, is_alive, my_identity
from daemon.store.async_store import AsyncStore
from trading.clock import Clock
from trading.control.process_run import WorkerIdentity
from trading.data.mongo.leases import Lease
from trading.errors import StoreError
from trading.log import get_log

log = get_log()


class TokenWentBack(StoreError):
    """The store knows a smaller fencing token than this daemon has already used: it is an older copy."""

    def __init__(self, token: int, remembered: int) -> None:
        super().__init__(f"The store gave the fencing token {token}, but this daemon has already led with "
                         f"{remembered}: the store is an older copy, perhaps a restored backup. Nothing is started. "
                         f"If that is what you want: tradectl leader --reset")


@dataclass(frozen=True, kw_only=True)
class LeaseTimes:
    """How long the lease lasts, how often it is renewed, and which part of it the holder trusts."""

    ttl_s: float = 10.0
    renew_s: float = 3.0
    trusted: float = 0.8


class TokenMemory:
    """The greatest fencing token that this state directory has ever led with."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def greatest(self) -> int:
        try:
            return int(self._file.read_text())
        except (OSError, ValueError):
            return 0

    def remember(self, token: int) -> None:
        """Keep `token`, whole or not at all."""
        newer = self._file.with_suffix(".new")
        newer.write_text(f"{token}\n")
        newer.replace(self._file)


class Leadership:
    """Take the lease, renew it until stopped; `token` fences what is decided under it."""

    def __init__(self, store: AsyncStore, clock: Clock, memory: TokenMemory, times: LeaseTimes = LeaseTimes()) -> None:
        self._store, self._clock, self._times, self._memory = store, clock, times, memory
        me = my_identity()
        self._wanted = Lease(nonce=secrets.token_hex(12), token=0, holder=socket.gethostname(), boot_id=me.boot_id,
                             pid=me.pid, start_ticks=me.start_ticks)
        self._leads_until_s = float("-inf")
        self._lapsed = False
        self._renewals: asyncio.Task[None] | None = None
        self.token = 0
        self.holder: Lease | None = None  # as it was last seen
        self.store_answers = True
        self.problem = ""  # why this daemon must not lead, until somebody decides

    @property
    def nonce(self) -> str:
        return self._wanted.nonce

    @property
    def node(self) -> str:
        return self._wanted.holder

    @property
    def me(self) -> WorkerIdentity:
        return _identity(self._wanted)

    @property
    def is_leader(self) -> bool:
        return self._clock.monotonic_s() < self._leads_until_s

    @property
    def store_problem(self) -> str:
        """What was wrong with the store when it was last asked about the lease; empty: nothing."""
        return self._store.problem

    @property
    def lease_age_s(self) -> float:
        """Seconds since the request of the last confirmed renewal; negative infinity never happens: 0 before any."""
        if self._leads_until_s == float("-inf"):
            return 0.0
        return self._clock.monotonic_s() - self._leads_until_s + self._times.ttl_s * self._times.trusted

    async def acquire(self) -> None:
        """Return as the leader, however long another one has to be waited for."""
        while not await self._try_to_lead():
            await asyncio.sleep(min(1.0, self._times.ttl_s / 5))
        log.info("leading", token=self.token)

    def keep(self, on_loss: Callable[[Lease], None], on_new_term: Callable[[], None]) -> None:
        """Renew from now on. `on_loss`: another daemon leads. `on_new_term`: we do again, after a pause."""
        self._renewals = asyncio.create_task(self._keep(on_loss, on_new_term), name="renew leadership")

    async def release(self) -> None:
        """Stop renewing and let the next daemon in at once."""
        self.step_down()
        try:
            await self._store.call(self._store.leases.release, self._wanted.nonce)
        except PyMongoError as error:
            log.warning("lease_not_released", reason=str(error)[:200], effect="it expires by itself")

    def step_down(self) -> None:
        """Lead no more; the lease, if it is ours, expires by itself."""
        if self._renewals is not None:
            self._renewals.cancel()
        self._leads_until_s = float("-inf")

    async def forget_history(self) -> int:
        """Let the store, an older copy, go on from the greatest token that we remember; that token."""
        greatest = self._memory.greatest()
        await self._store.call(self._store.leases.raise_token, greatest)
        self.problem = ""
        return greatest

    async def _try_to_lead(self) -> bool:
        """Followers only read, and write when the lease can be had."""
        if self.problem:
            return False
        try:
            self.holder = await self._store.call(self._store.leases.read)
            if self.holder is not None and _is_dead(self.holder):
                await self._store.call(self._store.leases.release, self.holder.nonce)
            elif not await self._store.call(self._store.leases.has_expired):
                self.store_answers = True
                return False
            await self._renew()
        except TokenWentBack as error:
            await self._refuse_to_lead(error)
        except PyMongoError as error:
            if self.store_answers:
                log.warning("lease_not_asked", reason=str(error)[:200])
            self.store_answers = False
        return self.is_leader

    async def _keep(self, on_loss: Callable[[Lease], None], on_new_term: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(self._times.renew_s)
            token = self.token
            try:
                lease = await self._renew()
            except PyMongoError as error:
                self.store_answers = False
                log.warning("lease_not_renewed", reason=str(error)[:200])
                continue
            except TokenWentBack as error:
                await self._refuse_to_lead(error)
                on_loss(self._wanted)
                return
            if lease.nonce != self._wanted.nonce:
                log.error("leadership_lost", holder=lease.holder, pid=lease.pid, token=lease.token)
                self._leads_until_s = float("-inf")
                on_loss(lease)
                return
            if self._lapsed or self.token != token:
                on_new_term()

    async def _refuse_to_lead(self, error: TokenWentBack) -> None:
        """Give the lease back and wait for a person: `forget_history`."""
        log.error("leadership_refused", reason=str(error))
        self.problem, self._leads_until_s = str(error), float("-inf")
        with suppress(PyMongoError):  # it expires by itself
            await self._store.call(self._store.leases.release, self._wanted.nonce)

    async def _renew(self) -> Lease:
        """One conditional write; leading only once its answer, and a token greater than any before, are here."""
        asked_s, leases = self._clock.monotonic_s(), self._store.leases
        lease = await self._store.call(leases.take_or_renew, self._wanted, int(self._times.ttl_s * 1000))
        self.holder, self.store_answers = lease, True
        if lease.nonce != self._wanted.nonce:
            return lease
        if lease.token != self.token:
            settled = await self._store.call(leases.settle_token, lease)
            if settled is None:
                return replace(lease, nonce="")
            lease = settled
            self._begin_term(lease)
        self._lapsed = not self.is_leader  # nothing was decided for a while; whoever asked then must ask again
        self._leads_until_s = asked_s + self._times.ttl_s * self._times.trusted
        return lease

    def _begin_term(self, lease: Lease) -> None:
        remembered = self._memory.greatest()
        if lease.token <= remembered:
            raise TokenWentBack(lease.token, remembered)
        self._memory.remember(lease.token)
        self.token = lease.token


def _identity(lease: Lease) -> WorkerIdentity:
    return WorkerIdentity(boot_id=lease.boot_id, pid=lease.pid, start_ticks=lease.start_ticks)


def _is_dead(lease: Lease) -> bool:
    """Whether the holder ran on this machine, in this boot, and is gone for certain."""
    return lease.boot_id == boot_id() and not is_alive(_identity(lease))
