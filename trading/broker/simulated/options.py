"""What people may set of a simulated gateway, in a scenario or while it runs, and in which words. Pure.

Only what is given changes. Wrong names and values are answered in sentences, all at once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
)

from trading.broker.simulated.hours import TimeStyle
from trading.broker.simulated.permissions import MarketLimits, Pacing, Permissions, Subscription
from trading.broker.simulated.price_grid import grid_of
from trading.broker.simulated.read_only import ReadOnly
from trading.broker.simulated.settings import GatewaySettings
from trading.errors import ConfigError
from trading.process_config import known_zone

FOR_LIFE: Final = ("account", "more_accounts", "base_currency", "starting_cash", "zone", "ticks")


def _yaml_off(value: object) -> object:
    """YAML reads OFF without quotes as false."""
    return "OFF" if value is False else value


def _listed(value: object) -> object:
    """One word of a command line may hold several values."""
    return value.split(",") if isinstance(value, str) else value


def _grids(ticks: dict[str, dict[Decimal, Decimal]]) -> dict[str, dict[Decimal, Decimal]]:
    """`ticks`, if they make price grids."""
    for symbol, bands in ticks.items():
        try:
            grid_of(bands)
        except ConfigError as error:
            raise ValueError(f"{symbol}: {error}") from error
    return ticks


class _Part(BaseModel):
    """None: not given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def given(self, *nested: str) -> dict[str, Any]:
        """What is given, without the fields `nested`."""
        return self.model_dump(exclude_none=True, exclude=set(nested))


class PermissionsOptions(_Part):
    """Which market data the account has paid for."""

    everywhere: Subscription | None = None
    exchanges: dict[str, Subscription] | None = None

    def applied(self, old: Permissions) -> Permissions:
        return replace(old, everywhere=self.everywhere or old.everywhere,
                       exchanges={**old.exchanges, **(self.exchanges or {})})


class LimitsOptions(_Part):
    """How much a client may ask for."""

    lines: PositiveInt | None = None
    depths: NonNegativeInt | None = None
    pacing: Annotated[Pacing, BeforeValidator(_yaml_off)] | None = None
    messages_a_second: PositiveInt | None = None

    def applied(self, old: MarketLimits) -> MarketLimits:
        return replace(old, **self.given())


class GatewayOptions(_Part):
    """Everything that can be set; what each means stands in docs/how_to/simulated_gateway.md."""

    account: Annotated[str, Field(min_length=1)] | None = None
    more_accounts: Annotated[tuple[str, ...], BeforeValidator(_listed)] | None = None
    base_currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None
    starting_cash: PositiveFloat | None = None
    zone: Annotated[str, AfterValidator(known_zone)] | None = None
    ticks: Annotated[dict[str, dict[Decimal, Decimal]], AfterValidator(_grids)] | None = None
    lots: PositiveInt | None = None
    traded_a_minute: NonNegativeInt | None = None
    tif_preset: bool | None = None
    real_hours: bool | None = None
    holidays: Annotated[frozenset[date], BeforeValidator(_listed)] | None = None
    execution_times: TimeStyle | None = None
    read_only: Annotated[ReadOnly, BeforeValidator(_yaml_off)] | None = None
    permissions: PermissionsOptions = PermissionsOptions()
    limits: LimitsOptions = LimitsOptions()

    def applied(self, settings: GatewaySettings) -> GatewaySettings:
        """`settings` with what is given here."""
        grids = {symbol: grid_of(bands) for symbol, bands in (self.ticks or {}).items()}
        return replace(settings, permissions=self.permissions.applied(settings.permissions),
                       limits=self.limits.applied(settings.limits), grids={**settings.grids, **grids},
                       **self.given(*PARTS, "ticks"))


PARTS: Final[Mapping[str, type[_Part]]] = {"permissions": PermissionsOptions, "limits": LimitsOptions}


def options_of(values: Any) -> GatewayOptions:
    """The options that `values`, a mapping of plain values, name.

    Raises:
        ConfigError: an unknown name or a wrong value; the message is all of them.
    """
    if not isinstance(values, dict):
        raise ConfigError(f"The settings must be lines of `name: value`, not {values!r}.")
    try:
        return GatewayOptions.model_validate(values)
    except ValidationError as error:
        raise ConfigError(" ".join(_sentence(mistake) for mistake in error.errors())) from error


def changes_of(words: Mapping[str, Any]) -> GatewayOptions:
    """The options that a running gateway shall have from now on; the parts of a name are joined by dots.

    Raises:
        ConfigError: as `options_of`, or a setting that a gateway has for life.
    """
    values = _nested(words)
    fixed = [name for name in FOR_LIFE if name in values]
    if fixed:
        raise ConfigError(f"A running gateway keeps its {fixed[0]}. Write it under `settings:` of a scenario, and "
                          f"start with that: tradectl sim start --scenario FILE")
    return options_of(values)


def _nested(words: Mapping[str, Any]) -> dict[str, Any]:
    """`{"limits.lines": 5}` as `{"limits": {"lines": 5}}`."""
    values: dict[str, Any] = {}
    for name, value in words.items():
        *parts, last = name.split(".", 2)
        place = values
        for part in parts:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise ConfigError(f"{name} is given beside a value for the whole of {part}. Give one of the two.")
        place[last] = value
    return values


def told(settings: GatewaySettings) -> dict[str, str]:
    """Every setting by its name, as plain text."""
    return dict(_told(settings))


def _told(settings: GatewaySettings) -> Iterator[tuple[str, str]]:
    for name in GatewayOptions.model_fields:
        if name in PARTS:
            yield from ((f"{name}.{each}", _text(value)) for each, value in vars(vars(settings)[name]).items())
        elif name == "ticks":
            yield name, _text({symbol: "; ".join(f"{band.edge}: {band.tick}" for band in grid.bands)
                               for symbol, grid in settings.grids.items()})
        else:
            yield name, _text(vars(settings)[name])


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={each}" for key, each in sorted(value.items()))
    return ",".join(sorted(map(str, value))) if isinstance(value, frozenset | tuple) else str(value)


def _sentence(mistake: Any) -> str:
    place = [str(part) for part in mistake["loc"]]
    if mistake["type"] == "extra_forbidden":
        part = GatewayOptions.model_fields if len(place) == 1 else PARTS[place[0]].model_fields
        return f"There is no setting {'.'.join(place)!r}. Allowed: {', '.join(part)}."
    said = str(mistake["msg"]).removeprefix("Value error, ").replace("Input should", "it should").rstrip(".")
    return f"The setting {'.'.join(place)} cannot be {mistake['input']!r}: {said}."
