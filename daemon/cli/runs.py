"""tradectl history, logs: what a process did, and what it said."""

from pathlib import Path
from typing import Any

import click

from daemon.cli.__main__ import Settings
from daemon.cli.output import json_option, local_time, print_json, print_table, tell
from trading.control.process_run import ProcessRun
from trading.errors import ConfigError, TradingError


@click.command()
@click.argument("process")
@click.option("-n", "count", default=20, show_default=True, help="How many runs.")
@json_option
@click.pass_obj
def history(settings: Settings, process: str, count: int, as_json: bool) -> None:
    """List the newest runs of PROCESS.

    Example: tradectl history run_systems -n 5
    """
    rows = [_row(run) for run in _runs(settings, process, count)]
    if as_json:
        print_json(rows)
        return
    shown = [row | {"start": local_time(row["start"]), "end": local_time(row["end"])} for row in rows]
    print_table(shown, {"run": "RUN", "state": "STATE", "kind": "KIND", "start": "START", "end": "END",
                        "exit_code": "EXIT", "reason": ""}, f"{process} never ran.")


@click.command()
@click.argument("process")
@click.option("--run", "run_id", help="A run as `tradectl history` names it (default: the newest).")
@json_option
@click.pass_obj
def logs(settings: Settings, process: str, run_id: str | None, as_json: bool) -> None:
    """Print what a run of PROCESS wrote.

    Example: tradectl logs update_fx_prices
    """
    runs = [run for run in _runs(settings, process, 200) if run_id in (None, run.id)]
    if not runs:
        raise TradingError(f"{process} has no run {run_id}. See: tradectl history {process}" if run_id
                           else f"{process} never ran.")
    path = Path(runs[0].log)
    text = path.read_text(errors="replace") if path.is_file() else ""
    tell({**_row(runs[0]), "text": text}, f"# {runs[0].id} {runs[0].state.value} {path}\n"
         + (text or "(it wrote nothing, or its log was cleaned)"), as_json)


def _runs(settings: Settings, process: str, count: int) -> list[ProcessRun]:
    from daemon.cli.store import opened_store
    from trading.data.mongo.processes import MongoProcesses

    with opened_store(settings) as (store, config):
        if process not in config.processes:
            raise ConfigError(f"There is no process {process} (known: {', '.join(config.processes)}).")
        return MongoProcesses(store).runs(process, count)


def _row(run: ProcessRun) -> dict[str, Any]:
    return {"run": run.id, "state": run.state.value, "kind": run.kind.value, "trading_day": run.trading_day,
            "start": (run.started or run.created).isoformat(), "end": run.ended and run.ended.isoformat(),
            "exit_code": run.exit_code, "signal": run.signal, "max_rss_kb": run.max_rss_kb, "cpu_s": run.cpu_s,
            "reason": run.reason, "log": run.log}


COMMANDS = {"history": history, "logs": logs}
