"""The shipped table of error codes, from the file beside the policy."""

from functools import cache
from importlib.resources import files

import yaml

from trading.execution.error_policy import ErrorPolicy, error_policy


@cache
def shipped_error_policy() -> ErrorPolicy:
    """What this version knows."""
    text = files("trading.execution").joinpath("error_codes.yaml").read_text(encoding="utf-8")
    return error_policy(yaml.safe_load(text), "error_codes.yaml")
