"""tradectl locks: what must not be traded, and why; locking, and opening."""

import click

from daemon.cli.__main__ import Settings
from daemon.cli.deeds import Asking, deed_command
from daemon.cli.output import json_option, print_json, print_table


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def locks(ctx: click.Context, as_json: bool) -> None:
    """List instruments that are not traded, and why; or lock one, or open locks.

    Example: tradectl locks
    """
    if ctx.invoked_subcommand is None:
        _list(ctx.obj, as_json)


def _list(settings: Settings, as_json: bool) -> None:
    from daemon.cli.store import opened_store
    from trading.data.mongo.locks import MongoInstrumentLocks

    with opened_store(settings) as (store, _config):
        rows = [{"instrument": lock.instrument, "cause": lock.cause.value, "subject": lock.subject,
                 "reason": lock.reason, "since": lock.opened_at.strftime("%Y-%m-%d %H:%M:%S"),
                 "by": lock.opened_by, "opens": "by a person" if lock.needs_person else "when explained"}
                for lock in MongoInstrumentLocks(store).all()]
    if as_json:
        print_json(rows)
        return
    print_table(rows, {"instrument": "INSTRUMENT", "cause": "CAUSE", "since": "SINCE (UTC)", "opens": "OPENS",
                       "reason": "WHY"}, "Nothing is locked.")


@locks.command("set")
@click.argument("instrument")
@deed_command
def set_(asking: Asking, instrument: str) -> None:
    """Lock INSTRUMENT: no order of it is made or sent until somebody opens the lock.

    Example: tradectl locks set SP500 --reason "the exchange changes its rules" --yes
    """
    asking.perform("lock", instrument=instrument)


@locks.command("open")
@click.argument("instrument", required=False)
@click.option("--all", "everything", is_flag=True, help="The locks of every instrument.")
@click.option("--cause", help="Only those of this cause, as tradectl locks names it.")
@click.option("--subject", help="Only the one about this order, contract or execution.")
@click.option("--evidence", default="", help="What shows that our books are right; for a break or a conflict.")
@deed_command
def open_(asking: Asking, instrument: str | None, everything: bool, cause: str | None, subject: str | None,
          evidence: str) -> None:
    """Open the locks of INSTRUMENT. A position break or a conflict wants evidence as well as a reason.

    Example: tradectl locks open SP500 --reason "the order was found" --yes
    """
    asking.perform("open-locks", instrument=instrument, everything=everything, cause=cause, subject=subject,
                   evidence=evidence)


COMMANDS = {"locks": locks}
