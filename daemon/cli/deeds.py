"""Doing something at the trading desk: what it would change is shown, asked for, done, and told in one line."""

import functools
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import click

from daemon.cli.__main__ import Settings
from daemon.cli.asking import actor, confirm, yes_option
from daemon.cli.output import json_option, print_json, print_table, tell
from trading.errors import ConfigError
from trading.unix_socket import request

Values = dict[str, Any]
NO_REASON = "A reason is missing: add --reason \"why\". Nothing was changed."


@dataclass(frozen=True, kw_only=True)
class Asking:
    """How somebody asks: why, and whether anybody is to be asked back."""

    settings: Settings
    reason: str
    yes: bool
    dry_run: bool
    as_json: bool
    timeout_s: float = 30.0

    def perform(self, deed: str, **values: Any) -> None:
        """Show `deed`, ask, do it, and say in one line what was done."""
        self.demand_reason()
        shown = self.preview(deed, **values)
        if self.dry_run:
            self.show(shown)
            return
        if not self.as_json:
            print_changes(shown)
            click.echo(shown["meaning"] if self.yes else "")
        confirm(shown["meaning"], self.yes)
        self.told(self.send(deed, **values))

    def demand_reason(self) -> None:
        """Before anything is shown, so that nobody answers yes in vain."""
        if not self.reason.strip() and not self.dry_run:
            raise ConfigError(NO_REASON)

    def preview(self, deed: str, **values: Any) -> Values:
        return self.send(deed, dry_run=True, **values)

    def send(self, deed: str, **values: Any) -> Values:
        body = {"id": secrets.token_hex(12), "actor": actor(), "reason": self.reason, **values}
        answer: Values = request(self.settings.places.socket, "POST", f"/trading/{deed}", body,
                                 self.timeout_s)
        return answer

    def show(self, shown: Values) -> None:
        """What would be, and that nothing is."""
        if self.as_json:
            print_json(shown)
            return
        print_changes(shown)
        click.echo(f"{shown['meaning']}\nNothing was changed.")

    def told(self, done: Values) -> None:
        tell(done, done["done"], self.as_json)


def deed_command(function: Callable[..., None]) -> Callable[..., None]:
    """A command that changes trading: with --reason, --yes, --dry-run and --json, which `function` gets as `asking`."""
    @click.option("--reason", default="", help="Why; written to the audit trail. It must be given.")
    @yes_option
    @click.option("--dry-run", is_flag=True, help="Only show what it would change.")
    @json_option
    @click.pass_context
    @functools.wraps(function)
    def command(ctx: click.Context, /, *, reason: str, yes: bool, dry_run: bool, as_json: bool, **words: Any) -> None:
        function(Asking(settings=ctx.obj, reason=reason, yes=yes, dry_run=dry_run, as_json=as_json), **words)

    return command


def print_changes(shown: Mapping[str, Any]) -> None:
    """What is, what would be, and what to know before."""
    before, after = shown["before"], shown["after"]
    names = [name for name in dict.fromkeys([*before, *after]) if before.get(name) != after.get(name)]
    rows = [{"what": name, "now": before.get(name), "then": after.get(name)} for name in names]
    if rows:
        print_table(rows, {"what": "WHAT", "now": "NOW", "then": "THEN"}, "")
    for warning in shown["warnings"]:
        click.echo(f"Note: {warning}")
