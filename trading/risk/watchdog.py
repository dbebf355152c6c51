"""What the independent watchdog does about what it sees: RC-39, and the dead man's switch of RC-34. Pure.

It cancels, raises to K3 and tells people. It never places an order, never flattens, never lowers a level, and raises
none because the daemon is silent. What it cannot see it concludes nothing from.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from trading.risk.kill_level import KillLevel
from trading.risk.watchdog_sight import (
    Decision,
    Memory,
    Picture,
    RestingOrder,
    StoreView,
    Subject,
    Tolerated,
    WatchRules,
)

CLEAR_READS = 2  # "none is left" is said only when the broker shows none so often in a row
CROWD = "orders"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What one rule found; no text: nothing."""

    text: str = ""
    cancels: bool = False
    raises: bool = False


def decide(picture: Picture, memory: Memory, rules: WatchRules) -> Decision:
    """What to do now, and what to remember."""
    noted = _noted(picture, memory)
    excess, noted = _excess(picture, noted, rules)
    found = {Subject.HALT: _halt(picture, noted, rules), Subject.SILENCE: _silence(picture, noted, rules),
             Subject.EXCESS: excess, Subject.BLIND: _blind(picture, noted, rules)}
    told = {subject: finding.text for subject, finding in found.items() if finding.text}
    if not picture.is_whole:  # half of a picture ends nothing
        told = dict(noted.open) | told
        if picture.orders is not None:
            told.pop(Subject.BLIND, None)
    cancel = _paced(picture, noted, rules, (each.text for each in found.values() if each.cancels))
    raises = next((each.text for each in found.values() if each.raises), "")
    return Decision(
        memory=replace(noted, open=told, cancelled_s=picture.at_s if cancel else noted.cancelled_s), cancel=cancel,
        raise_level=raises if picture.store is not None else "", lay_flag=raises if picture.store is None else "",
        open=told)


def _noted(picture: Picture, memory: Memory) -> Memory:
    """What this look adds to what is known, whatever is decided."""
    if picture.store is not None:
        is_new = memory.store is None or picture.store.sign != memory.store.sign
        memory = replace(memory, store=picture.store, heard_s=picture.at_s if is_new else memory.heard_s)
    if picture.orders is None:
        return memory
    since = {order.key: memory.forbidden_since.get(order.key, picture.at_s) for order in _forbidden(picture, memory)}
    return replace(memory, read_s=picture.at_s, forbidden_since=since, had_ours=_has_ours(picture.orders),
                   clear_reads=0 if since else memory.clear_reads + 1)


def _paced(picture: Picture, memory: Memory, rules: WatchRules, reasons: Iterable[str]) -> str:
    """The first reason to cancel, unless it was asked a moment ago."""
    last = memory.cancelled_s
    if last is not None and picture.at_s - last < rules.repeat_cancel_s:
        return ""
    return next(iter(reasons), "")


def _level(memory: Memory) -> KillLevel:
    """As it was last read."""
    return KillLevel.K0_NORMAL if memory.store is None else memory.store.level


def _has_ours(orders: Iterable[RestingOrder]) -> bool:
    return any(order.is_ours for order in orders)


# --- trading is halted, and orders rest all the same (case O17: the daemon's own socket is half open) -----------------

def _forbidden(picture: Picture, memory: Memory) -> list[RestingOrder]:
    """Orders that the level forbids: ours but for those that flatten, and when severed those of everybody."""
    level = _level(memory)
    if level < KillLevel.K3_HALT and not picture.is_flagged:
        return []
    allowed: frozenset[str] = frozenset() if memory.store is None else memory.store.allowed
    return [order for order in picture.orders or () if level is KillLevel.K5_SEVER
            or (order.is_ours and order.reference not in allowed)]


def _halt(picture: Picture, memory: Memory, rules: WatchRules) -> Finding:
    if picture.orders is None:
        return Finding()
    if any(picture.at_s - since >= rules.halt_grace_s for since in memory.forbidden_since.values()):
        return Finding(cancels=True, text=(
            f"Trading is halted: {_words(memory.store, picture.is_flagged)}. Orders rest at the broker all the same "
            f"after {rules.halt_grace_s:g} s: the watchdog cancels them over a connection of its own until there is "
            f"none. Look at the connection of tradingd: tradectl status"))
    return Finding(text=memory.open.get(Subject.HALT, "") if memory.clear_reads < CLEAR_READS else "")


def _words(store: StoreView | None, is_flagged: bool) -> str:
    if store is not None and store.level >= KillLevel.K3_HALT:
        return store.level_words
    return "the halt flag lies in the state directory" if is_flagged else ""


# --- nobody looks after the orders (RC-34: the broker has no cancel-on-disconnect) -----------------------------------

def _is_silent(picture: Picture, memory: Memory, rules: WatchRules) -> bool:
    return picture.at_s - memory.heard_s >= rules.silent_after_s


def _silence(picture: Picture, memory: Memory, rules: WatchRules) -> Finding:
    """A store that was never read says nothing about the daemon: then nothing is cancelled."""
    if memory.store is None or not _is_silent(picture, memory, rules):
        return Finding()
    if not _has_ours(picture.orders or ()):
        return Finding(text=memory.open.get(Subject.SILENCE, ""))
    where = "" if picture.store is not None else " (the store, where it would give one, does not answer)"
    return Finding(cancels=True, text=(
        f"tradingd has given no sign of life for {rules.silent_after_s:g} s{where}, and orders of ours rest at the "
        f"broker: the watchdog cancels them. The kill level stays as it is. See: tradectl status"))


# --- more than is allowed -------------------------------------------------------------------------------------------

def _excess(picture: Picture, memory: Memory, rules: WatchRules) -> tuple[Finding, Memory]:
    """Too much is seen twice before it counts: one wrong answer halts nobody."""
    if picture.orders is None or memory.store is None:
        return Finding(), replace(memory, seen_once=frozenset())
    limits, is_crowd = memory.store.limits, len(picture.orders) > rules.most_orders
    beyond = {name for name, limit in limits.items() if picture.lots.get(name, 0) > _most(limit, rules)}
    tolerated = {name: _tolerated(picture.lots.get(name, 0), limit, memory.tolerated.get(name), rules)
                 for name, limit in limits.items()}
    seen = frozenset(name for name in beyond if picture.lots[name] > tolerated[name].lots)
    if is_crowd and not memory.is_crowded:
        seen |= {CROWD}
    confirmed = seen & memory.seen_once
    raised_for = {name: replace(tolerated[name], lots=picture.lots[name]) for name in confirmed - {CROWD}}
    newer = replace(memory, seen_once=seen, tolerated=tolerated | raised_for,
                    is_crowded=is_crowd and (memory.is_crowded or CROWD in confirmed))
    if confirmed:
        return _too_much(picture, memory, confirmed), newer
    return Finding(text=_still_too_much(beyond - seen, is_crowd, memory)), newer


def _most(limit: int, rules: WatchRules) -> int:
    return limit + max(1, math.ceil(limit * rules.margin_share))


def _tolerated(lots: int, limit: int, known: Tolerated | None, rules: WatchRules) -> Tolerated:
    """A position that was there before its limit was is left alone until it grows; what has shrunk may not come back.

    A person, or a quieter market that has become a wild one, may set a limit below the position: that forces nothing.
    """
    before = lots if known is None or known.limit != limit else min(known.lots, lots)
    return Tolerated(limit=limit, lots=max(_most(limit, rules), before))


def _too_much(picture: Picture, memory: Memory, confirmed: frozenset[str]) -> Finding:
    held = [f"{picture.lots[name]} lots of {name} are held, and its position limit is {limit}"
            for name, limit in _limits(memory, confirmed)]
    crowd = [f"{len(picture.orders or ())} orders rest at once"] if CROWD in confirmed else []
    may_raise = _level(memory) < KillLevel.K3_HALT and not picture.is_flagged
    return Finding(cancels=bool(picture.orders), raises=may_raise, text=(
        f"At the broker {' and '.join([*held, *crowd])}: the watchdog halts trading and cancels all orders."))


def _still_too_much(found: set[str], is_crowd: bool, memory: Memory) -> str:
    """The words stay while the matter does; a position that was found so is told, and nothing is done about it."""
    known = memory.open.get(Subject.EXCESS, "")
    if known or not found:
        return known if found or is_crowd else ""
    names = ", ".join(f"{name} (limit {limit})" for name, limit in _limits(memory, found))
    return (f"The broker holds more than the position limit of {names}, and did so before the watchdog or the limit "
            f"was there. Nothing is done unless it grows. See: tradectl limits")


def _limits(memory: Memory, names: Iterable[str]) -> list[tuple[str, int]]:
    limits: Mapping[str, int] = {} if memory.store is None else memory.store.limits
    return [(name, limits[name]) for name in sorted(names) if name in limits]


# --- nothing can be seen --------------------------------------------------------------------------------------------

def _blind(picture: Picture, memory: Memory, rules: WatchRules) -> Finding:
    """Told while somebody trades, or orders rested when they were seen last; severed, nothing is to be seen."""
    if picture.orders is not None or picture.at_s - memory.read_s < rules.blind_after_s:
        return Finding()
    is_trading = memory.store is not None and not _is_silent(picture, memory, rules)
    if _level(memory) is KillLevel.K5_SEVER or not (is_trading or memory.had_ours):
        return Finding()
    return Finding(text=f"The watchdog could not read orders and positions at the broker for {rules.blind_after_s:g} "
                        f"s, so it can cancel nothing. See: tradectl watchdog status")
