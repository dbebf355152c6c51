"""Does the program run that may, with the configuration that may? RC-30, RC-41. Pure; asked when a daemon leads."""

from dataclasses import dataclass

from trading.risk.check import Check, denied, passed


@dataclass(frozen=True, kw_only=True, slots=True)
class Versions:
    """A program, what it stores, and its configuration; digests where no number says enough."""

    code: str
    schema: int
    config: str


def at_start(running: Versions, approved: Versions) -> tuple[Check, ...]:
    """Before anything is traded. Halt unless all pass.

    Args:
        approved: the program that led last, and the configuration that somebody brought last.
    """
    return rc_30(running, approved), rc_41(running, approved)


def rc_30(running: Versions, approved: Versions) -> Check:
    """Configuration: the one that runs is the newest on record, with who brought it and why."""
    if running.config == approved.config:
        return passed("RC-30", number=running.config, limit=approved.config)
    return denied("RC-30", f"Configuration {running.config[:8]} runs, but {approved.config[:8]} is the newest on "
                           f"record. Compare them: tradectl schedule history", running.config, approved.config)


def rc_41(running: Versions, approved: Versions) -> Check:
    """Version guard: another program trades only when a person says so (Knight ran old code on one of eight hosts).

    That one process executes is not asked here: the lease and the one connection see to it.
    """
    if (running.code, running.schema) == (approved.code, approved.schema):
        return passed("RC-41", number=running.code, limit=approved.code)
    return denied("RC-41", f"Program {running.code[:8]} with schema {running.schema} runs, but {approved.code[:8]} "
                           f"with schema {approved.schema} led last. If this is your upgrade, let it trade: "
                           f"tradectl resume-trading --reason \"upgrade\"", running.code, approved.code)
