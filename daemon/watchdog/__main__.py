"""tradingd-watchdog: flags, configuration, run; an exit code.

0 asked to stop, 1 failed (another watchdog watches over the same state directory, or a bug), 2 wrong usage or
configuration. That nothing answers is no reason to end: it waits.
"""

import argparse
import asyncio
import faulthandler
import os
import signal
import sys
from pathlib import Path

from daemon.places import Places, add_place_flags
from daemon.store.state_lock import StateInUse, StateLock
from trading.errors import ConfigError, TradingError


class WatchedAlready(TradingError):
    """Two watchdogs over one state directory would share a client id."""

    def __init__(self, state: Path, holder: str) -> None:
        super().__init__(f"Another watchdog watches over {state}: process {holder}. To end it: tradectl watchdog stop")


def main() -> None:
    """Entry point of `tradingd-watchdog` and of `python -m daemon.watchdog`."""
    sys.exit(run(sys.argv[1:]))


def run(words: list[str]) -> int:
    """Watch as `words` ask; the exit code."""
    signal.signal(signal.SIGTERM, lambda _number, _frame: os._exit(0))  # until it listens: nothing has begun
    faulthandler.enable()
    flags = _parser().parse_args(words)
    try:
        return _watch(flags.config, Places(flags.state.resolve()), verbose=flags.verbose)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    except TradingError as error:
        print(error, file=sys.stderr)
        return 1


def _watch(folder: Path, places: Places, *, verbose: bool) -> int:
    from daemon.speech import speak_without_waiting
    from daemon.watchdog.life import Life, service_of

    say = speak_without_waiting(verbose=verbose)
    service = service_of(folder)
    try:
        lock = StateLock(places.watchdog_lock, places.state)
    except StateInUse as error:
        raise WatchedAlready(places.state, error.holder) from error
    try:
        asyncio.run(Life(service=service, places=places, say=say).run())
    finally:
        lock.release()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tradingd-watchdog", description="Watch over tradingd at the broker: cancel "
                                     "what rests although trading is halted, or although nobody looks after it.")
    add_place_flags(parser)
    parser.add_argument("--verbose", action="store_true", help="log every event, not only warnings")
    return parser


if __name__ == "__main__":
    main()
