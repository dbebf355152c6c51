"""A stop that comes before the service listens ends it, wherever the program is at that moment."""

import signal
import subprocess
import sys

import pytest

IN_A_CALLBACK = """
import os, signal, sys, weakref
from daemon.__main__ import _stop_early

class Thing:
    pass

number = int(sys.argv[1])
signal.signal(number, _stop_early)
thing = Thing()
watch = weakref.ref(thing, lambda _: os.kill(os.getpid(), number))
del thing
print("goes on", flush=True)
sys.exit(9)
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_an_early_stop_is_not_lost_in_a_callback_that_swallows_exceptions(number: signal.Signals, code: int) -> None:
    done = subprocess.run([sys.executable, "-c", IN_A_CALLBACK, str(int(number))], capture_output=True, text=True,
                          check=False, timeout=60)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
