"""Configuration of the broker: the one connection, its simulated gateway, and its statements."""

from typing import Final

from pydantic import Field, PositiveFloat, field_validator

from trading.alerts_config import SafeAddress
from trading.process_config import Section, known_zone

_LONGEST_NUMBER: Final = 20


class SimulatedGatewayConfig(Section):
    """The gateway that comes with tradingd; `port` 0 takes a free one.

    `lots` are offered at each price whenever one is printed. A recorded day has one print: all orders should fit in.
    """

    port: int = Field(default=0, ge=0, le=65535)
    starting_cash: PositiveFloat = 5_000_000.0
    lots: int = Field(default=1_000, ge=1)


class StatementsConfig(Section):
    """The broker's statement of each day, which is compared with our fills; without a `query` there is none.

    Token: the file `token_file`, TRADINGD_FLEX_TOKEN or the credential flex_token; never a key of this file.
    """

    query: str | None = None  # the number of a Flex query
    token_file: str | None = None
    url: SafeAddress = "https://ndcdyn.interactivebrokers.com/AccountManagement/FlexWebService"
    timezone: str | None = None  # that of its times, a setting of the account; default: the gateway's

    @field_validator("query", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        """Its digits, as a text or as YAML reads them without quotes."""
        if value is None:
            return None
        digits = "" if isinstance(value, bool) else str(value)
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= _LONGEST_NUMBER):
            raise ValueError(f"{value!r} is no number of a Flex query; take it from the Client Portal, for example "
                             f"123456")
        return digits

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        return None if value is None else known_zone(value)


class BrokerConfig(Section):
    """The one connection. In mode simulated host and port are the simulated gateway's."""

    host: str = "127.0.0.1"
    port: int = Field(default=4002, ge=1, le=65535)
    client_id: int = Field(default=1, ge=1)
    account: str = "DU0000001"
    connect_timeout_s: PositiveFloat = 15.0
    request_timeout_s: PositiveFloat = 20.0
    heartbeat_s: PositiveFloat = 10.0
    messages_per_s: PositiveFloat = 35.0
    timezone: str | None = None  # that of times which the gateway writes without one; default: the operator's
    statements: StatementsConfig = StatementsConfig()
    simulated: SimulatedGatewayConfig = SimulatedGatewayConfig()

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        return None if value is None else known_zone(value)
