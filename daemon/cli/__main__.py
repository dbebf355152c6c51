"""tradectl: one file a noun, loaded when it is used, so that `tradectl status` stays quick."""

import sys
from pathlib import Path
from typing import Any

import click

from daemon.places import Places, default_config, default_state
from trading.errors import ConfigError, TradingError

# command -> module of daemon/cli that defines it
COMMANDS = {
    "start": "service", "stop": "service", "restart": "service", "status": "status", "reload": "service",
    "run": "processes", "pause": "processes", "resume": "processes", "reset": "processes", "kill": "processes",
    "skip": "processes", "backfill": "processes", "resolve": "processes",
    "logs": "runs", "history": "runs", "schedule": "schedule", "events": "supervision", "drain": "supervision",
    "clock": "supervision", "leader": "supervision", "alerts": "alerts", "ack": "alerts",
    "orders": "orders", "fills": "books", "story": "books", "positions": "positions", "trade": "trade",
    "halt": "halting", "resume-trading": "halting", "flatten": "halting", "locks": "locks", "overrides": "overrides",
    "limits": "limits", "rolls": "rolls", "reconcile": "reconciliation",
    "prices": "prices", "import": "imports", "backtest": "backtest", "tca": "tca",
    "doctor": "doctor", "watchdog": "watchdog", "sim": "sim",
}


class LazyCommands(click.Group):
    """Imports a command's module only when that command is called or explained."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002 (click's)
        if name not in COMMANDS:
            return None
        from importlib import import_module

        module = import_module(f"daemon.cli.{COMMANDS[name]}")
        command: click.Command = module.COMMANDS[name]
        return command


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", type=click.Path(path_type=Path), default=default_config, help="Configuration folder.")
@click.option("--state", type=click.Path(path_type=Path), default=default_state, help="State directory.")
@click.version_option(package_name="tradingd", prog_name="tradectl")
@click.pass_context
def tradectl(ctx: click.Context, config: Path, state: Path) -> None:
    """Drive tradingd.

    Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 daemon not running, 4 refused in this state.
    """
    ctx.obj = Settings(config, Places(state.resolve()))


class Settings:
    """Where this call looks."""

    def __init__(self, config: Path, places: Places) -> None:
        self.config_folder, self.places = config, places


def main() -> None:
    """Entry point of `tradectl`: errors are sentences on standard error, and an exit code."""
    sys.exit(run(sys.argv[1:]))


def run(words: list[str]) -> int:
    """Run one command; its exit code."""
    try:
        result: Any = tradectl.main(args=words, prog_name="tradectl", standalone_mode=False)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as error:
        click.echo(wrong_words(error), err=True)
        return 2
    except click.Abort:
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # the reader had enough
        return 0
    except Exception as error:  # noqa: BLE001 (the boundary: what is known gets a sentence, a bug its traceback)
        return _told(error)
    return result if isinstance(result, int) else 0


def wrong_words(error: click.ClickException) -> str:
    """What was wrong with the words of a command, which, and where the right ones stand."""
    said = error.format_message().rstrip(".")
    if isinstance(error, click.NoSuchOption) and error.option_name.lstrip("-")[:1].isdigit():
        said = f"{error.option_name} is no option, and a number in this place is never negative"
    context = getattr(error, "ctx", None)
    return f"{said}. See: {context.command_path if context else 'tradectl'} --help"


def _told(error: Exception) -> int:
    """The exit code, after a sentence."""
    if isinstance(error, TradingError):
        click.echo(str(error), err=True)
        return exit_code(error)
    if isinstance(error, OSError) and error.filename is not None:
        click.echo(of_a_file(error), err=True)
        return 1
    if not _is_of_store(error):
        raise error
    click.echo(f"The store did not do what was asked: {str(error)[:200]}. It is safe to call this again. See: tradectl "
               f"doctor", err=True)
    return 1


def of_a_file(error: OSError) -> str:
    """What the machine says of a file or a folder, as a sentence."""
    return (f"{error.filename} cannot be used: {error.strerror}. Choose another place (--state, --config), or get the "
            f"right to it.")


def _is_of_store(error: Exception) -> bool:
    """Told by its name: the driver is only loaded by commands that need it."""
    return any(each.__name__ == "PyMongoError" for each in type(error).__mro__)


def exit_code(error: TradingError) -> int:
    """2 configuration, 3 daemon not running, 4 refused in this state, 1 everything else."""
    from trading.unix_socket import DaemonRefused, DaemonUnreachable

    wrong_words = isinstance(error, DaemonRefused) and error.kind in ("NotFound", "ConfigError")
    if isinstance(error, ConfigError) or wrong_words:
        return 2
    if isinstance(error, DaemonUnreachable):
        return 1 if error.silent else 3
    return 4 if isinstance(error, DaemonRefused) and error.status == 409 else 1


if __name__ == "__main__":
    main()
