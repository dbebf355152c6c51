"""SystemCache: what a stage computed, kept while it is worth its room. Least recently used goes first, in O(1).

An item remembers which items it was computed from; dropping one drops everything that was built on it. None is a
value like any other. The clock is given, so that ageing can be tested.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TypeVar, cast

Value = TypeVar("Value")


@dataclass(frozen=True)
class CacheStatistics:
    """How the cache did so far."""

    hits: int
    misses: int
    evictions: int
    items: int


@dataclass
class _Item:
    value: object
    stored_s: float
    users: set[Hashable] = field(default_factory=set)  # items that were computed from this one


class SystemCache:
    """At most `max_items`, none older than `ttl_s` seconds (None: ageless)."""

    def __init__(self, now_s: Callable[[], float], max_items: int = 100_000, ttl_s: float | None = None) -> None:
        self._now_s, self._max_items, self._ttl_s = now_s, max_items, ttl_s
        self._items: OrderedDict[Hashable, _Item] = OrderedDict()
        self._computing: list[Hashable] = []
        self._hits = self._misses = self._evictions = 0

    def get(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """The kept value of `key`, computed now if there is none.

        Raises:
            RecursionError: computing `key` needs `key`; the message shows the chain.
        """
        if key in self._computing:
            chain = " -> ".join(map(str, (*self._computing[self._computing.index(key):], key)))
            raise RecursionError(f"these items of the system need each other: {chain}")
        user = self._computing[-1] if self._computing else None
        if not self._is_fresh(key):
            self._misses += 1
            self._store(key, self._computed(key, compute))
        else:
            self._hits += 1
            self._items.move_to_end(key)
        if user is not None and key in self._items:
            self._items[key].users.add(user)
        return cast(Value, self._last) if key not in self._items else cast(Value, self._items[key].value)

    def invalidate(self, key: Hashable) -> int:
        """Drop `key` and everything computed from it; how many items that were."""
        item = self._items.pop(key, None)
        return 0 if item is None else 1 + sum(self.invalidate(user) for user in item.users)

    def clear(self) -> None:
        self._items.clear()

    @property
    def statistics(self) -> CacheStatistics:
        return CacheStatistics(self._hits, self._misses, self._evictions, len(self._items))

    def _computed(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        self._computing.append(key)
        try:
            return compute()
        finally:
            self._computing.pop()

    def _is_fresh(self, key: Hashable) -> bool:
        item = self._items.get(key)
        if item is None:
            return False
        if self._ttl_s is not None and self._now_s() - item.stored_s >= self._ttl_s:
            self.invalidate(key)
            return False
        return True

    def _store(self, key: Hashable, value: object) -> None:
        self._last = value
        self._items[key] = _Item(value, self._now_s())
        while len(self._items) > self._max_items:
            self._items.popitem(last=False)
            self._evictions += 1
