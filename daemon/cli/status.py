"""tradectl status: the service at a glance, and each process in a line."""

from typing import Any

import click

from daemon.cli.__main__ import Settings
from daemon.cli.output import json_option, local_time, print_json, print_table
from trading.unix_socket import DaemonUnreachable, request


@click.command()
@json_option
@click.pass_obj
def status(settings: Settings, as_json: bool) -> None:
    """Show the service and every process: state, last run, why it waits, when it is next due.

    While the daemon is down the store is read instead.

    Example: tradectl status --json
    """
    try:
        values = request(settings.places.socket, "GET", "/status", timeout_s=10)
    except DaemonUnreachable:
        values = _from_store(settings)
    if as_json:
        print_json(values)
    else:
        _print(values)


def _from_store(settings: Settings) -> dict[str, Any]:
    from daemon.cli.store import opened_store
    from daemon.status import process_row
    from trading.data.mongo.processes import MongoProcesses

    with opened_store(settings) as (store, config):
        controls = MongoProcesses(store).controls(config.processes)
        rows = [process_row(control) | {"next": None} for control in controls.values()]
        return {"schema": 1, "service": "down", "mode": config.service.mode.value, "processes": rows}


def _print(values: dict[str, Any]) -> None:
    click.echo(_headline(values))
    zone = None
    rows = [row | {"state": row["state"], "start": local_time(row["start"], zone), "end": local_time(row["end"], zone),
                   "next": local_time(row["next"], zone),
                   "detail": row["detail"] or ("paused" if row["desired"] == "paused" else "")}
            for row in values["processes"]]
    print_table(rows, {"process": "PROCESS", "state": "STATE", "trading_day": "DAY", "start": "START", "end": "END",
                       "next": "NEXT DUE", "detail": ""}, "No processes are configured.")


def _headline(values: dict[str, Any]) -> str:
    if values["service"] == "down":
        return "tradingd is not running (start it: tradectl start); from the store:\n"
    broker = values["broker"]
    link = broker["link"] + (f" ({broker['reason']})" if broker["reason"] else "")
    return (f"tradingd is {values['service']}, pid {values['pid']}, mode {values['mode']}, broker {link}, "
            f"clock {local_time(values['clock'])} UTC\n")


COMMANDS = {"status": status}
