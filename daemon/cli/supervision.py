"""tradectl drain, clock, leader, events: the supervisor itself."""

import time
from typing import Any

import click

from daemon.cli.__main__ import Settings
from daemon.cli.asking import confirm, reason_option, send, yes_option
from daemon.cli.output import json_option, local_time, print_json, print_table, tell
from trading.unix_socket import request

_POLL_S = 1.0


@click.command()
@click.option("--off", is_flag=True, help="Let the schedule go on.")
@reason_option
@json_option
@click.pass_obj
def drain(settings: Settings, off: bool, reason: str, as_json: bool) -> None:
    """Start nothing more; what runs works to its end, services stop. For maintenance of the machine or the store.

    Example: tradectl drain --reason "store upgrade"
    """
    done = send(settings, "/drain", reason, off=off)
    running = f"; still running: {', '.join(done['running'])}" if done["running"] else "; nothing runs"
    tell(done, "The schedule goes on." if off else f"Nothing is started any more{running}. "
         "Go on: tradectl drain --off", as_json)


@click.group()
def clock() -> None:
    """The clock by which the schedule goes."""


@clock.command()
@click.option("--rewind", is_flag=True, help="After a step back: do not wait until the time has passed again.")
@reason_option
@yes_option
@json_option
@click.pass_obj
def accept(settings: Settings, rewind: bool, reason: str, yes: bool, as_json: bool) -> None:
    """Say that the clock is right, after it jumped so far that the schedule is held.

    Example: tradectl clock accept --reason "time server repaired" --yes
    """
    confirm("The schedule goes on from the present time of the clock.", yes)
    done = send(settings, "/clock/accept", reason, rewind=rewind)
    tell(done, f"The schedule goes on; the clock says {local_time(done['clock'])} UTC.", as_json)


@click.command()
@click.option("--reset", is_flag=True, help="Lead although the store is an older copy (a restored backup).")
@reason_option
@yes_option
@json_option
@click.pass_obj
def leader(settings: Settings, reset: bool, reason: str, yes: bool, as_json: bool) -> None:
    """Show which tradingd leads.

    Example: tradectl leader
    """
    if reset:
        confirm("This tradingd leads again although the store is an older copy.", yes)
        send(settings, "/leader/reset", reason)
    values = request(settings.places.socket, "GET", "/leader")
    tell(values, _about_leader(values), as_json)


def _about_leader(values: dict[str, Any]) -> str:
    if values["problem"]:
        return str(values["problem"])
    if values["is_leader"]:
        return f"This tradingd ({values['node']}) leads, fencing token {values['token']}."
    holder = values["holder"]
    if holder is None:
        return "Nobody leads yet."
    return f"{holder['host']} (pid {holder['pid']}) leads, fencing token {holder['token']}; this one stands by."


@click.command()
@click.argument("process", required=False)
@click.option("-n", "count", default=20, show_default=True, help="How many.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes; Ctrl-C ends it.")
@json_option
@click.pass_obj
def events(settings: Settings, process: str | None, count: int, follow: bool, as_json: bool) -> None:
    """List what happened: every change of a process with who, when, from what to what and why.

    Example: tradectl events run_systems -n 5
    """
    about = f"&process={process}" if process else ""
    rows = request(settings.places.socket, "GET", f"/events?limit={count}{about}")
    if as_json and not follow:
        print_json(rows)
        return
    if not follow:
        print_table([_shown(row) for row in rows], {"at": "AT (UTC)", "process": "PROCESS", "change": "CHANGE",
                                                    "actor": "BY", "reason": "WHY"}, "Nothing has happened yet.")
        return
    _follow(settings, rows, about)


def _follow(settings: Settings, rows: list[dict[str, Any]], about: str) -> None:
    last = ""
    try:
        while True:
            for row in rows:
                shown, last = _shown(row), row["id"]
                click.echo(f"{shown['at']}  {shown['process']}  {shown['change']}  {shown['actor']}: {shown['reason']}")
            time.sleep(_POLL_S)
            rows = request(settings.places.socket, "GET", f"/events?limit=1000&after={last}{about}")
    except KeyboardInterrupt:
        return


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    change = f"{row['from']} -> {row['to']}" if row["from"] != row["to"] else str(row["to"])
    return {"at": local_time(row["at"]), "process": row["process"], "change": change, "actor": row["actor"] or "-",
            "reason": row["reason"]}


COMMANDS = {"drain": drain, "clock": clock, "leader": leader, "events": events}
