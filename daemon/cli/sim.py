"""tradectl sim: the simulated gateway, with or without the daemon."""

import os
import re
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from daemon.cli.__main__ import Settings
from daemon.cli.output import json_option, print_json, print_table, tell
from trading.errors import ConfigError, TradingError

if TYPE_CHECKING:
    from trading.broker.simulated.control_client import GatewayControl


@click.group()
def sim() -> None:
    """The simulated gateway: speaks Interactive Brokers' wire protocol over recorded prices."""


@sim.command()
@click.option("--port", type=click.IntRange(0, 65535), default=4002, show_default=True, help="0: a free port.")
@click.option("--data", type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="Recorded prices in pysystemtrade's layout (default: generated sample markets).")
@click.option("--max-version", type=click.IntRange(157, 200), default=178, show_default=True,
              help="The highest version of the protocol that is spoken: 157, 176, 178 or 200.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z"]),
              help="When to begin, as in 2023-06-05T12:00:00+0000 (default: noon of the last recorded day).")
@click.option("--cash", type=click.FloatRange(min=0, min_open=True), help="What a new account begins with.")
@click.option("--read-only", type=click.Choice(["ORDERS_SHOWN", "ORDERS_HIDDEN"]),
              help="Refuse orders, and tell of open ones or not.")
@click.option("--real-hours", is_flag=True, help="Each exchange by its own hours (without: open Monday to Friday).")
@click.option("--scenario", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="A YAML file of faults and settings; see docs/how_to/simulated_gateway.md.")
@click.option("--foreground", is_flag=True, help="Stay in the terminal until Ctrl-C.")
@json_option
@click.pass_obj
def start(settings: Settings, /, foreground: bool, as_json: bool, **flags: Any) -> None:
    """Start the gateway.

    Example: tradectl sim start --port 4002 --foreground
    """
    shown = flags | {"data": flags["data"] or _sample_data(settings), "state": settings.places.gateway}
    if flags["as_of"] is not None:
        shown["as_of"] = flags["as_of"].isoformat()
    words = [sys.executable, "-m", "daemon.market.simulated_gateway",
             *(text for name, value in shown.items() if value is not None and value is not False
               for text in _flag(name, value))]
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


@sim.command()
@json_option
@click.pass_obj
def stop(settings: Settings, as_json: bool) -> None:
    """Stop the gateway that `sim start` has started; its orders and positions stay.

    Example: tradectl sim stop
    """
    done = _control(settings).stop()
    tell({"done": done}, done, as_json)


@sim.command()
@click.argument("kind")
@click.argument("values", nargs=-1)
@json_option
@click.pass_obj
def fault(settings: Settings, kind: str, values: tuple[str, ...], as_json: bool) -> None:
    """Let something go wrong, now or when it comes: `KIND NAME=VALUE ...`, as in docs/how_to/simulated_gateway.md.

    Example: tradectl sim fault duplicate message=execDetails times=2
    """
    done = _control(settings).fault(kind, **dict(_pair(value) for value in values))
    tell({"done": done}, done, as_json)


@sim.command()
@click.option("--clear", is_flag=True, help="Take all back.")
@json_option
@click.pass_obj
def faults(settings: Settings, clear: bool, as_json: bool) -> None:
    """List the faults that wait or last.

    Example: tradectl sim faults --clear
    """
    control = _control(settings)
    if clear:
        done = control.clear()
        tell({"done": done}, done, as_json)
        return
    rows = control.faults()
    if as_json:
        print_json(rows)
    else:
        columns = {key: key.upper() for row in rows for key in row}
        print_table(rows, columns, "Nothing is to go wrong.")


@sim.command("settings")
@click.argument("changes", nargs=-1)
@json_option
@click.pass_obj
def show_settings(settings: Settings, changes: tuple[str, ...], as_json: bool) -> None:
    """Show the gateway's settings, or change some while it runs: `NAME=VALUE ...`.

    Example: tradectl sim settings read_only=ORDERS_SHOWN limits.lines=20
    """
    found = _control(settings).settings(**dict(_pair(change) for change in changes))
    if as_json:
        print_json(found)
    else:
        print_table([{"name": name, "value": value or "-"} for name, value in found.items()],
                    {"name": "NAME", "value": "VALUE"}, "")


@sim.command()
@click.option("--speed", type=click.FloatRange(0, 1_000_000), help="So many times real time; 0 stands still.")
@click.option("--forward", type=click.FloatRange(0), help="Seconds to go forward at once.")
@click.option("--to", help="Go forward to this instant, for example 2021-10-13T12:00:00+00:00.")
@json_option
@click.pass_obj
def clock(settings: Settings, speed: float | None, forward: float | None, to: str | None, as_json: bool) -> None:
    """Show the gateway's clock, or move it: the recorded day follows.

    Example: tradectl sim clock --forward 3600
    """
    wanted = {"speed": speed, "forward_s": forward, "to": to}
    shown = _control(settings).clock(**{name: value for name, value in wanted.items() if value is not None})
    tell(shown, f"It is {shown['now']} at the gateway, at {shown['speed']:g} times real speed.", as_json)


def _flag(name: str, value: Any) -> tuple[str, ...]:
    word = f"--{name.replace('_', '-')}"
    return (word,) if value is True else (word, str(value))


def _control(settings: Settings) -> "GatewayControl":
    from trading.broker.simulated.control_client import GatewayControl

    return GatewayControl(settings.places.gateway)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ConfigError(f"{text!r} is no NAME=VALUE. Example: tradectl sim fault duplicate message=execDetails")
    return name, value


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
        ended = process.poll() is not None  # asked before its words are read: then they are all there
        said = log.read_bytes()[start_at:].decode(errors="replace")
        listening = re.search(r"^listening on (\d+)$", said, re.MULTILINE)
        if listening is not None:
            port = int(listening[1])
            tell({"port": port, "pid": process.pid}, f"The simulated gateway listens on 127.0.0.1:{port}, "
                 f"pid {process.pid}. Stop it: tradectl sim stop", as_json)
            return
        if ended:
            reason = said.strip().rpartition("\n")[2] or f"it ended without a word. See: {log}"
            raise TradingError(f"The simulated gateway did not start: {reason}")
        time.sleep(0.05)
    process.kill()
    raise TradingError(f"The simulated gateway did not come up within a minute and was ended. See: {log}")


COMMANDS = {"sim": sim}
