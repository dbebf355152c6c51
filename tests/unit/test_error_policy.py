"""The table of error codes: versioned data, refused with a sentence when it makes no sense."""

from typing import Any

import pytest

from trading.broker.error_codes import shipped_error_policy
from trading.errors import ConfigError
from trading.execution.error_policy import CodeMeaning, error_policy


@pytest.mark.parametrize(("code", "meaning"), [
    (10349, CodeMeaning.INFO), (399, CodeMeaning.INFO), (10148, CodeMeaning.REJECTS_CANCEL),
    (2148, CodeMeaning.RISK), (201, CodeMeaning.REJECTED),
    (202, CodeMeaning.CANCELLED), (110, CodeMeaning.REJECTS_NEW), (439, CodeMeaning.REJECTS_ALGO),
    (443, CodeMeaning.REJECTS_ALGO), (383, CodeMeaning.PRECAUTION), (1100, CodeMeaning.LINK_LOST),
    (1102, CodeMeaning.LINK_RESTORED), (326, CodeMeaning.CLIENT_ID_IN_USE),
    (100, CodeMeaning.TOO_FAST), (77777, CodeMeaning.AMBIGUOUS)])
def test_the_shipped_table(code: int, meaning: CodeMeaning) -> None:
    assert shipped_error_policy().of(code) is meaning
    assert shipped_error_policy().version >= 1


@pytest.mark.parametrize(("values", "said"), [
    ({"codes": {}}, "a number as version"), ([], "a number as version"),
    ({"version": 1, "codes": {"FATAL": [1]}}, "there is no class 'FATAL'. Allowed: INFO"),
    ({"version": 1, "codes": {"AMBIGUOUS": [1]}}, "there is no class 'AMBIGUOUS'"),
    ({"version": 1, "codes": {"INFO": [1], "REJECTED": [1]}}, "code 1 is both INFO and REJECTED"),
    ({"version": 1, "codes": {"INFO": ["x"]}}, "INFO must be a list of numbers")])
def test_a_table_that_makes_no_sense_is_refused(values: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=f"my.yaml.*{said}"):
        error_policy(values, "my.yaml")
