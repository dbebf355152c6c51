"""tradectl limits: how many lots may be held, traded within some days, or sent in one order."""

from typing import Any

import click

from daemon.cli.__main__ import Settings
from daemon.cli.asking import confirm
from daemon.cli.deeds import Asking, deed_command
from daemon.cli.output import json_option, print_json, print_table, tell

KINDS = click.Choice(["position", "trade", "order"])


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def limits(ctx: click.Context, as_json: bool) -> None:
    """List limits with what is used of them, or set, clear and compute them.

    Example: tradectl limits
    """
    if ctx.invoked_subcommand is None:
        _list(ctx.obj, as_json)


def _list(settings: Settings, as_json: bool) -> None:
    from daemon.cli.store import now_of, opened_store
    from trading.data.trading_desk.limits_in_use import limits_in_use

    with opened_store(settings) as (store, _config):
        rows = limits_in_use(store, now_of(settings, store))
    if as_json:
        print_json(rows)
        return
    shown = [row | {"kind": f"{row['kind']}, {row['days']} d" if row["days"] else row["kind"],
                    "strategy": row["strategy"] or "all together",
                    "by": f"{row['by']} (computed)" if row["automatic"] else row["by"]} for row in rows]
    print_table(shown, {"instrument": "INSTRUMENT", "kind": "KIND", "strategy": "STRATEGY", "lots": "LOTS",
                        "used": "USED", "by": "BY", "reason": "WHY"},
                "Nobody has set a limit; the computed ones hold. See them: tradectl limits auto --dry-run")


@limits.command("set")
@click.argument("kind", type=KINDS)
@click.argument("instrument")
@click.argument("lots")
@click.option("--strategy", help="Only for this strategy; default: all together.")
@click.option("--days", default=0, help="For trade: within so many days.")
@deed_command
def set_(asking: Asking, kind: str, instrument: str, lots: str, strategy: str | None, days: int) -> None:
    """Limit the LOTS of INSTRUMENT: held (position), traded within --days (trade), or in one order (order).

    Example: tradectl limits set position SP500 10 --reason "agreed with the risk committee" --yes
    """
    asking.perform("set-limit", kind=kind, instrument=instrument, lots=lots, strategy=strategy, days=days)


@limits.command()
@click.argument("kind", type=KINDS)
@click.argument("instrument")
@click.option("--strategy", help="That of this strategy.")
@click.option("--days", default=0, help="For trade: that of so many days.")
@deed_command
def clear(asking: Asking, kind: str, instrument: str, strategy: str | None, days: int) -> None:
    """Take a limit away.

    Example: tradectl limits clear position SP500 --reason "the computed one will do" --yes
    """
    asking.perform("clear-limit", kind=kind, instrument=instrument, strategy=strategy, days=days)


@limits.command()
@click.argument("instrument", required=False)
@deed_command
def auto(asking: Asking, instrument: str | None) -> None:
    """Compute limits from capital, volatility and rates, and set them where no person has; of INSTRUMENT, or of all.

    Example: tradectl limits auto --dry-run
    """
    from daemon.cli.store import now_of, opened_store

    with opened_store(asking.settings) as (store, config):
        from trading.data.trading_desk.computed_limits import computed_limits

        rows = [vars(row) for row in computed_limits(
            store, config, now_of(asking.settings, store), instrument)]
    wanted = [row for row in rows if row["lots"] is not None and row["lots"] != row["now"] and not row["why_not"]]
    if not asking.as_json:
        print_table([row | {"kind": f"{row['kind']}, {row['days']} d" if row["days"] else row["kind"]} for row in rows],
                    {"instrument": "INSTRUMENT", "kind": "KIND", "now": "NOW", "lots": "COMPUTED", "why_not": ""},
                    "There is no instrument. Import some: tradectl import pysystemtrade DIR")
    if asking.dry_run or not wanted:
        tell({"limits": rows, "set": 0}, "Nothing was changed.", asking.as_json)
        return
    asking.demand_reason()
    confirm(f"{len(wanted)} limits are set as computed.", asking.yes)
    for row in wanted:
        asking.send("set-limit", **_asked(row))
    tell({"limits": rows, "set": len(wanted)}, f"{len(wanted)} limits were set.", asking.as_json)


def _asked(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("kind", "instrument", "lots", "days")} | {"automatic": True}


COMMANDS = {"limits": limits}
