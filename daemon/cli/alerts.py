"""tradectl alerts, ack: what is wrong, and that somebody knows."""

from typing import Any

import click

from daemon.cli.__main__ import Settings
from daemon.cli.asking import actor
from daemon.cli.output import json_option, local_time, print_json, print_table, tell
from trading.unix_socket import request


@click.command()
@click.option("--all", "everything", is_flag=True, help="The newest hundred, those that are over too.")
@json_option
@click.pass_obj
def alerts(settings: Settings, everything: bool, as_json: bool) -> None:
    """List what is wrong now, the most severe first.

    Example: tradectl alerts --all
    """
    values = request(settings.places.socket, "GET", f"/alerts{'?all=1' if everything else ''}")
    if as_json:
        print_json(values)
        return
    columns = {"severity": "SEVERITY", "key": "KEY", "since": "SINCE", "count": "TIMES", "state": "STATE", "text": ""}
    print_table([_row(row) for row in values["alerts"]], columns,
                "Nothing has happened yet." if everything else "Nothing is wrong.")
    for channel, reason in values["delivery_problems"].items():
        click.echo(f"The {channel} does not work: {reason}")


@click.command()
@click.argument("key_or_process")
@click.option("--reason", default="", help="Shown beside the alert, and written to the log.")
@click.option("--over", is_flag=True, help="It is over, and nothing else will say so: take it off the list.")
@json_option
@click.pass_obj
def ack(settings: Settings, key_or_process: str, reason: str, over: bool, as_json: bool) -> None:
    """Say that you know: KEY_OR_PROCESS is silent until it changes, or is over and comes back.

    Example: tradectl ack LOST:run_systems --reason "looking at the fills"
    """
    done = request(settings.places.socket, "POST", "/alerts/ack",
                   {"key": key_or_process, "reason": reason, "over": over, "actor": actor()})
    names = ", ".join(row["key"] for row in done["acknowledged"])
    tell(done, f"{names}: {'over' if over else 'silent until something changes'}.", as_json)


def _row(row: dict[str, Any]) -> dict[str, Any]:
    state = "open" if row["open"] else f"over {local_time(row['over'])}"
    if row["open"] and row["acknowledged_by"]:
        state = f"known to {row['acknowledged_by']}"
    return {"severity": row["severity"], "key": row["key"], "since": local_time(row["since"]),
            "count": row["count"], "state": state, "text": row["text"]}


COMMANDS = {"alerts": alerts, "ack": ack}
