"""The Flex Web Service of Interactive Brokers: a statement is asked for, and fetched when it has been made.

Two questions over https: SendRequest gives a reference and an address, GetStatement the statement, or the word that it
is still being made. What may pass is asked again, so often and no more; everything else is a sentence. The token is in
the address of each request: no error and no log line of ours has any part of that address.
"""

import http.client
import stat
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlencode, urlsplit

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_fixed

from trading.broker.ib.statement import UnreadableStatement, plain_xml
from trading.errors import BrokerError, ConfigError
from trading.log import get_log
from trading.secrets import secret

log = get_log()
VERSION: Final = "3"
_LARGEST: Final = 50_000_000  # bytes; a year of trades is less
_BROKER: Final = ".interactivebrokers.com"  # who may be told the token, beside the host that is configured
_LATER: Final = frozenset({"1001", "1004", "1005", "1006", "1007", "1008", "1009", "1018", "1019", "1021"})
_ANOTHER: Final = ("Make a new one in the Client Portal (Settings, Flex Web Service), and write it where "
                   "broker.statements.token_file says.")
_MEANINGS: Final[Mapping[str, str]] = {
    "1003": "the statement is not available. Is there one for the period of the query yet?",
    "1010": "the query is of a kind that is no longer supported. Make an Activity Flex query.",
    "1011": "the service account is inactive. Activate the Flex Web Service in the Client Portal.",
    "1012": f"the token has expired. {_ANOTHER}",
    "1013": "this machine's address may not use the token. Allow it in the Client Portal (Settings, Flex Web Service).",
    "1014": "it knows no such query. broker.statements.query is the number beside the query in the Client Portal.",
    "1015": f"the token is not valid. {_ANOTHER}",
    "1016": "the account is not valid. Is the query one of the account that trades?",
    "1017": "it does not know the reference that it gave. Run this again.",
    "1018": "too many requests were made with this token. Wait some minutes, and run this again.",
    "1020": "it could not make sense of the request. Check broker.statements.query and the token.",
}
T = TypeVar("T")


class StatementRefused(BrokerError):
    """No statement, and asking again does not help."""


class StatementNotReady(BrokerError):
    """No statement yet."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long an answer may take, and how often it is asked again for what may pass."""

    attempts: int = 40
    pause_s: float = 15.0
    timeout_s: float = 30.0


@dataclass(frozen=True, kw_only=True)
class StatementService:
    """One query. `wait` sleeps so many seconds, and may end the job."""

    url: str
    query: str
    token: str
    wait: Callable[[float], None]
    patience: Patience = Patience()

    def fetch(self) -> bytes:
        """The statement, as the service gives it.

        Raises:
            StatementRefused: there is none, and why.
            StatementNotReady: it was not made in time, or nobody answered.
        """
        reference, address = self._patiently(self._ordered)
        log.info("statement_ordered", query=self.query)
        document = self._patiently(lambda: self._fetched(address, reference))
        log.info("statement_fetched", query=self.query, bytes=len(document))
        return document

    def _patiently(self, ask: Callable[[], T]) -> T:
        again = Retrying(retry=retry_if_exception_type(StatementNotReady), sleep=self.wait, reraise=True,
                         stop=stop_after_attempt(self.patience.attempts), wait=wait_fixed(self.patience.pause_s))
        try:
            return again(ask)
        except (StatementRefused, StatementNotReady) as error:  # the words of a stranger may have the token in them
            raise type(error)(str(error).replace(self.token, "(token)")) from None

    def _ordered(self) -> tuple[str, str]:
        """The reference of the statement, and where it will be."""
        answer = _answer(self._get(f"{self.url}/SendRequest", self.query))
        if answer is None:
            raise StatementRefused("The statement service gave a report where it should have given a reference. "
                                   "Is broker.statements.url right?")
        reference = answer.findtext("ReferenceCode") or ""
        if not reference:
            raise StatementRefused("The statement service gave no reference. Run this again; if it stays so, tell the "
                                   "broker.")
        return reference, self._trusted(answer.findtext("Url") or f"{self.url}/GetStatement")

    def _fetched(self, address: str, reference: str) -> bytes:
        document = self._get(address, reference)
        if _answer(document) is not None:
            raise StatementNotReady("The statement service has not made the statement yet. Run this again later.")
        return document

    def _trusted(self, address: str) -> str:
        """`address`, if it may be told the token."""
        there, here = urlsplit(address), urlsplit(self.url)
        is_same = (there.scheme, there.netloc) == (here.scheme, here.netloc)
        is_broker = there.scheme == "https" and (there.hostname or "").endswith(_BROKER)
        if not (is_same or is_broker):
            raise StatementRefused(f"The statement service names an address at {there.hostname}, which is not the "
                                   f"broker's: the token is not sent there. Is broker.statements.url right?")
        return address

    def _get(self, address: str, what: str) -> bytes:
        parts = urlsplit(address)
        kind = {"https": http.client.HTTPSConnection, "http": http.client.HTTPConnection}[parts.scheme]
        resource = f"{parts.path}?{urlencode({'t': self.token, 'q': what, 'v': VERSION})}"
        try:
            with closing(kind(parts.hostname or "", parts.port, timeout=self.patience.timeout_s)) as connection:
                connection.request("GET", resource, headers={"User-Agent": "tradingd"})
                answer = connection.getresponse()
                document: bytes = answer.read(_LARGEST + 1)
        except (OSError, http.client.HTTPException) as error:
            raise StatementNotReady(f"The statement service at {parts.hostname} does not answer "
                                    f"({type(error).__name__}). Run this again later.") from None
        if answer.status >= 500 or answer.status == 429:
            raise StatementNotReady(f"The statement service at {parts.hostname} answers {answer.status}. Run this "
                                    f"again later.")
        if answer.status != 200 or len(document) > _LARGEST:
            raise StatementRefused(f"The statement service at {parts.hostname} answers {answer.status} with "
                                   f"{len(document):,} bytes, which is no statement. Is broker.statements.url right?")
        return document


def _answer(document: bytes) -> ET.Element | None:
    """What the service says instead of a report; None when it is a report.

    Raises:
        StatementRefused, StatementNotReady: it says that it does not work.
    """
    try:
        root = plain_xml(document)
    except UnreadableStatement as error:
        raise StatementRefused(f"The answer of the statement service cannot be read. {error}") from None
    if root.tag == "FlexQueryResponse":
        return None
    if root.tag != "FlexStatementResponse":
        raise StatementRefused(f"The statement service answers with <{root.tag[:40]}>, which is no statement. "
                               f"Is broker.statements.url right?")
    if root.findtext("Status") != "Success":
        _refuse(root.findtext("ErrorCode") or "none", root.findtext("ErrorMessage") or "no reason given")
    return root


def _refuse(code: str, text: str) -> None:
    if code in _LATER:
        meaning = _MEANINGS.get(code, "try again later.")
        raise StatementNotReady(f"The statement service gives no statement (code {code}: {text[:200]}): {meaning}")
    meaning = _MEANINGS.get(code, "look for the code in the broker's Flex Web Service documentation.")
    raise StatementRefused(f"The statement service refuses (code {code}: {text[:200]}): {meaning}")


def read_token(file: str | None) -> str:
    """The token in `file`; without one, from TRADINGD_FLEX_TOKEN or the credential flex_token.

    Raises:
        ConfigError: there is none, it cannot be read, or everybody can; the token is never part of the message.
    """
    if file is None:
        token = secret("flex_token") or ""
        where = "TRADINGD_FLEX_TOKEN"
    else:
        token, where = _in_file(Path(file)), file
    if not token:
        raise ConfigError("A statement is configured (broker.statements.query), and no token for it: set "
                          "broker.statements.token_file, or the credential flex_token.")
    if not (token.isascii() and token.isalnum()):
        raise ConfigError(f"What is in {where} is no token: it must be letters and digits, alone in it.")
    return token


def _in_file(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        if mode & stat.S_IROTH:
            raise ConfigError(f"Everybody can read the token in {path}. Run: chmod o-r {path}")
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The token in {path} (broker.statements.token_file) cannot be read: "
                          f"{type(error).__name__}. Create the file, readable for the service alone.") from None
