"""Runs pytest with ib_insync in the place of ib_async, as a program of the venv that has only ib_insync.

    python with_ib_insync.py OUR_SITE_PACKAGES PYTEST_ARGUMENTS...

Everything else comes from our own packages, behind those of the venv: no file of the product knows of this.
"""

import os
import sys

if __name__ == "__main__":
    sys.path += [os.getcwd(), sys.argv[1]]
    import ib_insync

    sys.modules["ib_async"] = ib_insync
    import pytest

    sys.exit(pytest.main(sys.argv[2:]))
