"""Who may take a counted resource: never more than there is, and the more important goes first. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from trading.process_config import ProcessConfig


@dataclass(frozen=True, kw_only=True)
class Claimant:
    """One process that holds its resources, or waits for them."""

    name: str
    process: ProcessConfig


def missing_resource(name: str, process: ProcessConfig, there_is: Mapping[str, int], holders: Iterable[Claimant],
                     waiting: Iterable[Claimant]) -> str:
    """Which resource `name` cannot have now, and who has it; empty: it can have all.

    A process of higher priority that waits for a resource keeps what is free of it from the others.
    """
    holders = [each for each in holders if each.name != name]
    before = [each for each in waiting if each.name != name and each.process.priority > process.priority]
    for resource, wanted in process.resources.items():
        free = there_is.get(resource, 0) - _taken(resource, holders)
        if free < wanted:
            return f"{resource} (held by {_names(resource, holders) or 'nobody; there is not enough'})"
        if free - _taken(resource, before) < wanted:
            return f"{resource} ({_names(resource, before)} goes first)"
    return ""


def _taken(resource: str, claimants: Iterable[Claimant]) -> int:
    return sum(each.process.resources.get(resource, 0) for each in claimants)


def _names(resource: str, claimants: Iterable[Claimant]) -> str:
    return ", ".join(each.name for each in claimants if resource in each.process.resources)
