"""Which daemon acts. Leadership ends by itself: no renewal, for whatever reason, means not leading (fail closed)."""

import asyncio
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass

from pymongo.errors import PyMongoError

from daemon.async_store import AsyncStore
from daemon.worker_identity import boot_id, is_alive, my_identity
from trading.clock import Clock
from trading.control.process_run import WorkerIdentity
from trading.data.mongo.leases import Lease
from trading.errors import TradingError
from trading.log import get_log

log = get_log()


class AnotherLeads(TradingError):
    """A second daemon on the same store."""

    def __init__(self, lease: Lease) -> None:
        super().__init__(f"Another tradingd is active on this store: {lease.holder}, pid {lease.pid} (fencing token "
                         f"{lease.token}). Stop it first (tradectl stop), or give this one its own mongo.database.")


@dataclass(frozen=True, kw_only=True)
class LeaseTimes:
    """How long the lease lasts, how often it is renewed, and which part of it the holder trusts."""

    ttl_s: float = 10.0
    renew_s: float = 3.0
    trusted: float = 0.8


class Leadership:
    """Take the lease once, renew it until stopped; `token` fences what was decided under it."""

    def __init__(self, store: AsyncStore, clock: Clock, times: LeaseTimes = LeaseTimes()) -> None:
        self._store, self._clock, self._times = store, clock, times
        me = my_identity()
        self._wanted = Lease(nonce=secrets.token_hex(12), token=0, holder=socket.gethostname(), boot_id=me.boot_id,
                             pid=me.pid, start_ticks=me.start_ticks)
        self._leads_until_s = float("-inf")
        self._renewals: asyncio.Task[None] | None = None
        self.token = 0

    @property
    def nonce(self) -> str:
        return self._wanted.nonce

    @property
    def is_leader(self) -> bool:
        return self._clock.monotonic_s() < self._leads_until_s

    async def take(self) -> None:
        """Become the leader, waiting for a lease that is about to expire.

        Raises:
            AnotherLeads: somebody else holds the lease and keeps renewing it.
        """
        deadline = self._clock.monotonic_s() + self._times.ttl_s * 1.2
        lease = await self._renew()
        while not self.is_leader:
            if _is_dead(lease):
                await self._store.call(self._store.leases.release, lease.nonce)
            elif self._clock.monotonic_s() > deadline or _is_alive_here(lease):
                raise AnotherLeads(lease)
            else:
                await asyncio.sleep(0.5)
            lease = await self._renew()
        log.info("leading", token=self.token)

    def keep(self, on_loss: Callable[[], None]) -> None:
        """Renew from now on; `on_loss` is called when another daemon has taken over."""
        self._renewals = asyncio.create_task(self._keep(on_loss), name="renew leadership")

    async def release(self) -> None:
        """Stop renewing and let the next daemon in at once."""
        if self._renewals is not None:
            self._renewals.cancel()
        self._leads_until_s = float("-inf")
        try:
            await self._store.call(self._store.leases.release, self._wanted.nonce)
        except PyMongoError as error:
            log.warning("lease_not_released", reason=str(error)[:200], effect="it expires by itself")

    async def _keep(self, on_loss: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(self._times.renew_s)
            try:
                lease = await self._renew()
            except PyMongoError as error:
                log.warning("lease_not_renewed", reason=str(error)[:200])
                continue
            if lease.nonce != self._wanted.nonce:
                log.error("leadership_lost", holder=lease.holder, pid=lease.pid, token=lease.token)
                on_loss()
                return

    async def _renew(self) -> Lease:
        asked_s = self._clock.monotonic_s()
        lease = await self._store.call(self._store.leases.take_or_renew, self._wanted, int(self._times.ttl_s * 1000))
        if lease.nonce == self._wanted.nonce:
            self.token = lease.token
            self._leads_until_s = asked_s + self._times.ttl_s * self._times.trusted
        return lease


def _identity(lease: Lease) -> WorkerIdentity:
    return WorkerIdentity(boot_id=lease.boot_id, pid=lease.pid, start_ticks=lease.start_ticks)


def _is_dead(lease: Lease) -> bool:
    """Whether the holder ran on this machine, in this boot, and is gone for certain."""
    return lease.boot_id == boot_id() and not is_alive(_identity(lease))


def _is_alive_here(lease: Lease) -> bool:
    return is_alive(_identity(lease))
