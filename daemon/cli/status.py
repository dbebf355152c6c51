"""tradectl status: the service at a glance, each process in a line, and in a second one why it waits."""

import os
import textwrap
import time
from typing import Any

import click

from daemon.cli.__main__ import Settings
from daemon.cli.output import json_option, print_json
from daemon.cli.runs import took
from trading.unix_socket import DaemonUnreachable, request

_WIDTH = 100
_PROBLEMS = {"held": "held", "clock_problem": "waiting for the clock",
             "config_problem": "CONFIGURATION REJECTED, the old one stays in use"}
_LEVELS = {"K2_NO_NEW_RISK": "NO NEW RISK IS TAKEN", "K3_HALT": "TRADING IS HALTED",
           "K4_FLATTEN": "ALL POSITIONS ARE BEING CLOSED", "K5_SEVER": "TRADING IS HALTED AND THE BROKER DISCONNECTED"}
_WATCH_S = 2.0
_COLOURS = {"ERROR": "red", "TERMINATED": "red", "LOST": "red", "RUNNING": "green", "STOPPED": "yellow"}


@click.command()
@click.option("--watch", is_flag=True, help="Show it again every two seconds; Ctrl-C ends it.")
@json_option
@click.pass_obj
def status(settings: Settings, watch: bool, as_json: bool) -> int:
    """Show the service and every process: state, last run, when it is next due, why it waits.

    Times are the operator's. While the daemon is down the store is read instead.

    Example: tradectl status --json
    """
    if watch:
        return _watch(settings)
    try:
        values = request(settings.places.socket, "GET", "/status", timeout_s=10)
    except DaemonUnreachable as error:
        if error.silent:
            raise
        values = _from_store(settings)
    if as_json:
        print_json(values)
    else:
        click.echo(as_text(values))
    return 0


def _watch(settings: Settings) -> int:
    try:
        while True:
            try:
                text = as_text(request(settings.places.socket, "GET", "/status", timeout_s=10))
            except DaemonUnreachable as error:
                text = str(error)
            click.clear()
            click.echo(text)
            time.sleep(_WATCH_S)
    except KeyboardInterrupt:
        return 0


def _from_store(settings: Settings) -> dict[str, Any]:
    from daemon.cli.store import opened_store
    from daemon.watching.status import kill_row, process_row
    from trading.clock import SystemClock
    from trading.data.mongo.controls import MongoKillState
    from trading.data.mongo.processes import MongoProcesses

    with opened_store(settings) as (store, config):
        controls, now = MongoProcesses(store).controls(config.processes), SystemClock().now()
        rows = [process_row(control, now) for control in controls.values()]
        return {"schema": 1, "service": "down", "mode": config.service.mode.value, "timezone": config.service.timezone,
                "kill": kill_row(MongoKillState(store).load()), "processes": rows}


def as_text(values: dict[str, Any]) -> str:
    """At most a hundred columns wide."""
    lines = [*_headlines(values), ""]
    rows = values["processes"]
    if not rows:
        return "\n".join(lines[:-1])
    width = max(len("PROCESS"), *(len(row["process"]) for row in rows))
    lines.append(f"{'PROCESS':<{width}}  {'STATE':<10}  {'LAST RUN':<11}  {'TOOK':>8}  NEXT DUE")
    for row in rows:
        lines += _process_lines(row, width, values["timezone"])
    return "\n".join(lines)


def _process_lines(row: dict[str, Any], width: int, zone: str) -> list[str]:
    duration = "running" if row["active"] else took(row["start"], row["end"])
    state = _coloured(f"{row['state']:<10}", row["state"])
    line = (f"{row['process']:<{width}}  {state}  {_local(row['start'], zone, '%m-%d %H:%M'):<11}  {duration:>8}  "
            f"{_local(row['next'], zone, '%a %m-%d %H:%M'):<15}").rstrip()
    return [line, *textwrap.wrap(row["why"], _WIDTH, initial_indent="    ", subsequent_indent="    ")]


def _headlines(values: dict[str, Any]) -> list[str]:
    if values["service"] == "down":
        return ["tradingd is not running (start it: tradectl start); from the store:", *_trading(values["kill"])]
    leader, zone = values["leader"], values["timezone"]
    lines = [f"tradingd is {values['service']}, pid {values['pid']}, mode {values['mode']}, "
             f"{_local(values['clock'], zone, '%a %Y-%m-%d %H:%M:%S')} {zone}"]
    if values["broker"] is not None:
        link = values["broker"]
        lines += _wrapped(f"broker {link['link']}" + (f": {link['reason']}" if link["reason"] else ""))
    if values["service"] == "standby":
        lines += _wrapped(leader["problem"] or f"{leader['holder'] or 'nobody'} leads; this one stands by")
    elif not leader["is_leader"]:
        lines += _wrapped("NOT LEADING, nothing is started: " + (values["store"]["problem"] or "the lease has run out"))
    elif values["store"]["problem"]:
        lines += _wrapped(values["store"]["problem"])
    lines += _trading(values["kill"])
    for problem, words in _PROBLEMS.items():
        if values[problem]:
            lines += _wrapped(f"{words}: {values[problem].partition(chr(10))[0]}")
    if values["alerts"]:
        lines.append(f"{values['alerts']} open alert{'s' if values['alerts'] > 1 else ''}. See: tradectl alerts")
    for channel, problem in values["delivery_problems"].items():
        lines += _wrapped(f"alerts cannot be delivered by {channel}: {problem}")
    return lines


def _trading(kill: dict[str, Any] | None) -> list[str]:
    """What is not traded, and who said so; nothing when everything is. A standby does not say."""
    if kill is None:
        return []
    level, lines = kill["level"], list[str]()
    if level in _LEVELS:
        lines += _wrapped(f"{_LEVELS[level]} ({level} by {kill['by']}): {kill['reason']}")
    return lines + (_wrapped(f"paused: {'; '.join(kill['paused'])}") if kill["paused"] else [])


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, subsequent_indent="    ")


def _coloured(text: str, state: str) -> str:
    if state not in _COLOURS or "NO_COLOR" in os.environ:
        return text
    return click.style(text, fg=_COLOURS[state])


def _local(iso: str | None, zone: str, form: str) -> str:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    return datetime.fromisoformat(iso).astimezone(ZoneInfo(zone)).strftime(form) if iso else "-"


COMMANDS = {"status": status}
