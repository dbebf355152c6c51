"""tradectl watchdog: the second process, which watches over the service at the broker. It lives without the service."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from typing import Any, Final

import click

from daemon.cli.__main__ import Settings
from daemon.cli.output import json_option, local_time, tell
from daemon.cli.service import NotStarted, known_unit, systemctl, unit_of, words_since
from daemon.places import Places
from trading.errors import ConfigError, TradingError

_NOT_RUNNING: Final = 3
_START_WITHIN_S: Final = 60.0
_STOP_WITHIN_S: Final = 30.0
_WRONG_CONFIGURATION: Final = 2  # the exit code of daemon/watchdog/__main__.py


@click.group()
def watchdog() -> None:
    """The independent watchdog: cancels at the broker what a halted or dead service leaves there."""


@watchdog.command()
@json_option
@click.pass_obj
def start(settings: Settings, as_json: bool) -> None:
    """Start the watchdog and wait until it has looked: through systemd where its unit is installed, else in background.

    Example: tradectl watchdog start
    """
    was_running, unit = holder(settings.places) is not None, _unit(settings)
    if not was_running and unit is not None:
        systemctl("start", unit)
    elif not was_running:
        _start_in_background(settings)
    pid = holder(settings.places)
    already = " already" if was_running else ""
    tell({"running": True, "pid": pid, "was_running": was_running},
         f"The watchdog is running{already}, pid {pid}. See: tradectl watchdog status", as_json)


@watchdog.command()
@json_option
@click.pass_obj
def stop(settings: Settings, as_json: bool) -> None:
    """Stop the watchdog; from then on nobody sees to it that a halt is one.

    Example: tradectl watchdog stop
    """
    pid, unit = holder(settings.places), _unit(settings)
    if unit is not None:
        systemctl("stop", unit)
    elif pid is not None:
        _end(settings.places, pid)
    was_running = pid is not None
    tell({"running": False, "was_running": was_running},
         "The watchdog has stopped." if was_running else "The watchdog is not running.", as_json)


@watchdog.command()
@json_option
@click.pass_obj
def status(settings: Settings, as_json: bool) -> int:
    """Show what the watchdog sees; the exit code is 3 when it does not run.

    Example: tradectl watchdog status
    """
    pid, seen = holder(settings.places), _report(settings.places)
    if pid is None or seen is None or seen["pid"] != pid:
        tell({"running": pid is not None, "pid": pid},
             "The watchdog is not running. Start it: tradectl watchdog start" if pid is None else
             f"The watchdog (pid {pid}) has not looked yet.", as_json)
        return _NOT_RUNNING if pid is None else 0
    tell({"running": True, **seen}, "\n".join(_lines(seen)), as_json)
    return 0


def _lines(seen: dict[str, Any]) -> list[str]:
    level = seen["level"] or f"unknown: {seen['store_problem']}"
    orders = f"{seen['orders']} open at the broker, {seen['orders_of_ours']} of them ours"
    flag = ", and the halt flag lies in the state directory" if seen["halt_flag"] else ""
    return [f"watchdog  pid {seen['pid']}, client {seen['client_id']}, looked last at {local_time(seen['at'])} UTC",
            f"orders    {orders if seen['orders'] is not None else 'unknown: ' + seen['broker_problem']}",
            f"level     {level}{flag}",
            *(f"{subject:<9} {text}" for subject, text in seen["told"].items())]


def holder(places: Places) -> int | None:
    """The process that watches over this state directory; None when none does."""
    try:
        with places.watchdog_lock.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read().strip() or 0) or None
    except FileNotFoundError:
        return None
    return None


def _report(places: Places) -> dict[str, Any] | None:
    try:
        return dict(json.loads(places.watchdog_report.read_text()))
    except (OSError, ValueError):
        return None


def _unit(settings: Settings) -> str | None:
    """The watchdog's unit beside that of the service, if systemd knows it."""
    service = unit_of(settings.places.state)
    return None if service is None else known_unit(service.replace("tradingd", "tradingd-watchdog", 1))


def _start_in_background(settings: Settings) -> None:
    places = settings.places
    places.logs.mkdir(parents=True, exist_ok=True)
    places.watchdog_report.unlink(missing_ok=True)
    words = [sys.executable, "-m", "daemon.watchdog", "--config", str(settings.config_folder), "--state",
             str(places.state)]
    with places.watchdog_log.open("ab") as output:
        begin = output.tell()
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                   start_new_session=True)
    deadline_s = time.monotonic() + _START_WITHIN_S
    while not places.watchdog_report.exists():
        if process.poll() is not None or time.monotonic() > deadline_s:
            kind = ConfigError if process.poll() == _WRONG_CONFIGURATION else NotStarted
            raise kind(f"The watchdog did not start: {words_since(places.watchdog_log, begin)} "
                       f"(log: {places.watchdog_log})")
        time.sleep(0.05)


def _end(places: Places, pid: int) -> None:
    os.kill(pid, signal.SIGTERM)
    deadline_s = time.monotonic() + _STOP_WITHIN_S
    while holder(places) == pid:
        if time.monotonic() > deadline_s:
            raise TradingError(f"The watchdog (pid {pid}) has not stopped after {_STOP_WITHIN_S:g} s. To end it at "
                               f"once: kill -{signal.SIGKILL} {pid}")
        time.sleep(0.05)


COMMANDS = {"watchdog": watchdog}
