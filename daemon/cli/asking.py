"""Send a command to the daemon: who asks, why, and an id by which it is carried out once. Standard library only."""

import getpass
import os
import secrets
import sys
from typing import Any

import click

from daemon.cli.__main__ import Settings
from trading.errors import ConfigError
from trading.unix_socket import request

reason_option = click.option("--reason", default="", help="Written to the audit trail.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def send(settings: Settings, resource: str, reason: str = "", timeout_s: float = 30.0, **values: Any) -> Any:
    """The daemon's answer to the command `resource`."""
    body = {"id": secrets.token_hex(12), "actor": actor(), "reason": reason, **values}
    return request(settings.places.socket, "POST", resource, body, timeout_s)


def actor() -> str:
    """Who is at the keyboard, also behind sudo."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def confirm(effect: str, yes: bool) -> None:
    """Ask before something that cannot be taken back; without a terminal only --yes will do.

    Raises:
        ConfigError: nobody can be asked.
        click.Abort: the answer is no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError(f"{effect} There is no terminal to ask on; add --yes if that is what you want.")
    click.confirm(f"{effect} Go on?", abort=True)
