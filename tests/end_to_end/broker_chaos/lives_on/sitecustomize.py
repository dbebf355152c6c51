"""The simulated gateway outlives the daemon that started it, as the broker's does. It dies with it in a checkout only.

Python runs this file at its start where the folder is on PYTHONPATH.
"""

import ctypes
import sys

PR_SET_PDEATHSIG = 1

if "daemon.market.simulated_gateway" in sys.orig_argv:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0)
