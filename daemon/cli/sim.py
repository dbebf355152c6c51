"""tradectl sim: the simulated gateway, with or without the daemon."""

import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import click

from daemon.cli.__main__ import Settings
from daemon.cli.output import json_option, print_json, print_table, tell
from trading.errors import TradingError


@click.group()
def sim() -> None:
    """The simulated gateway: speaks Interactive Brokers' wire protocol over recorded prices."""


@sim.command()
@click.option("--port", type=click.IntRange(0, 65535), default=4002, show_default=True, help="0: a free port.")
@click.option("--data", type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="Recorded prices in pysystemtrade's layout (default: generated sample markets).")
@click.option("--foreground", is_flag=True, help="Stay in the terminal until Ctrl-C.")
@json_option
@click.pass_obj
def start(settings: Settings, port: int, data: Path | None, foreground: bool, as_json: bool) -> None:
    """Start the gateway.

    Example: tradectl sim start --port 4002 --foreground
    """
    words = [sys.executable, "-m", "daemon.market.simulated_gateway", "--data", str(data or _sample_data(settings)),
             "--state", str(settings.places.gateway), "--port", str(port)]
    if foreground:
        sys.stdout.flush()
        os.execv(sys.executable, words)  # noqa: S606 (no shell is what we want)
    _start_in_background(settings, words, as_json)


@sim.command()
@json_option
@click.pass_obj
def positions(settings: Settings, as_json: bool) -> None:
    """List what the gateway's account holds, from the gateway's own files.

    Example: tradectl sim positions --json
    """
    from trading.broker.simulated.world import read_positions

    rows = [asdict(position) for position in read_positions(settings.places.gateway)]
    if as_json:
        print_json(rows)
    else:
        print_table(rows, {key: key.upper().replace("_", " ") for key in rows[0]} if rows else {},
                    "The simulated account holds nothing.")


@sim.command()
@json_option
@click.pass_obj
def executions(settings: Settings, as_json: bool) -> None:
    """List every execution of the gateway's account, from the gateway's own files.

    Example: tradectl sim executions --json
    """
    from trading.broker.simulated.world import read_executions

    rows = [asdict(execution) for execution in read_executions(settings.places.gateway)]
    if as_json:
        print_json(rows)
    else:
        print_table(rows, {key: key.upper().replace("_", " ") for key in rows[0]} if rows else {},
                    "The simulated account has no executions.")


def _sample_data(settings: Settings) -> Path:
    from trading.data.csv.sample_markets import write_sample_markets

    folder = settings.places.sample_data
    if not (folder / "csvconfig").is_dir():
        write_sample_markets(folder, seed=1)
    return folder


def _start_in_background(settings: Settings, words: list[str], as_json: bool) -> None:
    log = settings.places.logs / "gateway.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        start_at = output.tell()
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                   start_new_session=True)
    deadline_s = time.monotonic() + 60
    while time.monotonic() < deadline_s:
        said = log.read_bytes()[start_at:].decode(errors="replace")
        if "listening on" in said:
            port = said.partition("listening on ")[2].split()[0]
            tell({"port": int(port), "pid": process.pid}, f"The simulated gateway listens on 127.0.0.1:{port}, "
                 f"pid {process.pid}. Stop it: kill {process.pid}", as_json)
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise TradingError(f"The simulated gateway did not start. See: {log}")


COMMANDS = {"sim": sim}
