"""tradectl schedule: when what is due."""

import click

from daemon.cli.__main__ import Settings
from daemon.cli.output import json_option, print_json, print_table
from trading.unix_socket import DaemonUnreachable, request


@click.group()
def schedule() -> None:
    """When each process is due."""


@schedule.command("next")
@click.option("-n", "count", default=20, show_default=True, help="How many slots.")
@json_option
@click.pass_obj
def next_slots(settings: Settings, count: int, as_json: bool) -> None:
    """List the next slots of all processes in order of time.

    Example: tradectl schedule next -n 5
    """
    try:
        rows = request(settings.places.socket, "GET", f"/schedule/next?count={count}")
    except DaemonUnreachable:
        rows = _from_files(settings, count)
    if as_json:
        print_json(rows)
    else:
        shown = [row | {"local": row["local"][:16].replace("T", " ")} for row in rows]
        print_table(shown, {"local": "LOCAL TIME", "process": "PROCESS", "cron": "CRON"}, "Nothing is scheduled.")


def _from_files(settings: Settings, count: int) -> list[dict[str, str]]:
    from daemon.bootstrap import checked_config
    from daemon.timer import upcoming
    from trading.clock import SystemClock

    config = checked_config(settings.config_folder)
    return upcoming(config.processes, config.service.zone, SystemClock().now(), count)


COMMANDS = {"schedule": schedule}
