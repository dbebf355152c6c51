"""tradectl history, logs: what became of each slot of a process, and what its runs said."""

import os
import time
from pathlib import Path
from typing import Any

import click

from daemon.cli.__main__ import Settings
from daemon.cli.output import json_option, local_time, print_json, print_table, tell
from trading.errors import ConfigError, TradingError
from trading.unix_socket import DaemonUnreachable, request

_POLL_S = 0.2
_CHUNK = 65_536
_ENDED = ("FINISHED", "ERROR", "STOPPED", "TERMINATED", "LOST", "CANCELLED")


@click.command()
@click.argument("process")
@click.option("-n", "count", default=20, show_default=True, help="How many slots and runs.")
@click.option("--runs", "only_runs", is_flag=True, help="Leave out slots that never ran.")
@json_option
@click.pass_obj
def history(settings: Settings, process: str, count: int, only_runs: bool, as_json: bool) -> None:
    """List the newest slots of PROCESS: each run, and each slot that never ran, with the reason.

    Example: tradectl history run_systems -n 5
    """
    rows = [row for row in history_of(settings, process, count) if not (only_runs and row["kind"] == "slot")]
    if as_json:
        print_json(rows)
        return
    shown = [row | {"start": local_time(row["start"]), "took": took(row["start"], row["end"])} for row in rows]
    print_table(shown, {"run": "RUN", "state": "STATE", "kind": "KIND", "start": "START (UTC)", "took": "TOOK",
                        "exit_code": "EXIT", "reason": ""}, f"{process} never ran.")


@click.command()
@click.argument("process")
@click.option("--run", "run_id", help="A run as `tradectl history` names it (default: the newest).")
@click.option("-f", "--follow", is_flag=True, help="Go on until the run has ended; Ctrl-C ends the view, not the run.")
@json_option
@click.pass_obj
def logs(settings: Settings, process: str, run_id: str | None, follow: bool, as_json: bool) -> None:
    """Print what a run of PROCESS wrote.

    Example: tradectl logs update_fx_prices
    """
    runs = [row for row in history_of(settings, process, 200) if row["kind"] != "slot" and run_id in (None, row["run"])]
    if not runs:
        raise TradingError(f"{process} has no run {run_id}. See: tradectl history {process}" if run_id
                           else f"{process} never ran.")
    run, path = runs[0], Path(runs[0]["log"])
    if follow:
        _follow(settings, process, run, path)
        return
    older = path.with_name(path.name + ".1")
    text = "".join(file.read_text(errors="replace") for file in (older, path) if file.is_file())
    tell({**run, "text": text}, f"# {run['run']} {run['state']} {path}\n"
         + (text or "(it wrote nothing, or its log was cleaned)"), as_json)


def history_of(settings: Settings, process: str, count: int) -> list[dict[str, Any]]:
    """Rows of the newest runs and slots, from the daemon, or from the store while it is down."""
    try:
        return list(request(settings.places.socket, "GET", f"/processes/{process}/history?limit={count}"))
    except DaemonUnreachable:
        return _from_store(settings, process, count)


def took(start: str | None, end: str | None) -> str:
    """How long, as a person says it."""
    from datetime import datetime

    if not start or not end:
        return "-"
    seconds = (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _from_store(settings: Settings, process: str, count: int) -> list[dict[str, Any]]:
    from daemon.cli.store import opened_store
    from daemon.watching.status import history_rows
    from trading.data.mongo.processes import MongoProcesses

    with opened_store(settings) as (store, config):
        if process not in config.processes:
            raise ConfigError(f"There is no process {process} (known: {', '.join(config.processes)}).")
        processes = MongoProcesses(store)
        return history_rows(processes.runs(process, count), processes.ticks(process, count), count)


def _follow(settings: Settings, process: str, run: dict[str, Any], path: Path) -> None:
    """Print what comes, also across a rotation, until the run has ended."""
    click.echo(f"# {run['run']} {run['state']} {path}")
    place, inode = 0, 0
    try:
        while True:
            ended = run["state"] in _ENDED
            place, inode = _print_news(path, place, inode)
            if ended:
                click.echo(f"# {run['run']} {run['state']}{' ' + run['reason'] if run['reason'] else ''}")
                return
            time.sleep(_POLL_S)
            rows = history_of(settings, process, 50)
            run = next((row for row in rows if row["run"] == run["run"]), run)
    except KeyboardInterrupt:
        return


def _print_news(path: Path, place: int, inode: int) -> tuple[int, int]:
    if not path.is_file():
        return place, inode
    with path.open("rb") as file:
        now = os.fstat(file.fileno()).st_ino
        file.seek(place if now == inode else 0)
        while text := file.read(_CHUNK):
            click.echo(text.decode(errors="replace"), nl=False)
        return file.tell(), now


COMMANDS = {"history": history, "logs": logs}
