"""What a worker may write to the broker link: checked before anything is done, and refused in a sentence."""

from decimal import Decimal
from json import JSONDecodeError
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request

from trading.errors import TradingError

LONGEST_WAIT_S: Final = 30.0
MOST_MESSAGES: Final = 1000
MOST_QUOTES: Final = 100

Duration = Annotated[str, Field(pattern=r"^[1-9]\d{0,4} [SDWMY]$", examples=["30 D"])]
BarSize = Annotated[str, Field(pattern=r"^(1|5|10|15|30) secs?$|^(1|2|3|5|10|15|20|30) mins?$|^(1|2|3|4|8) hours?$"
                                       r"|^1 (day|week|month|D|W|M)$", examples=["1 hour"])]
Wait = Annotated[float, Field(ge=0, le=LONGEST_WAIT_S)]
Wanted = TypeVar("Wanted", bound="_Strict")


class Nonsense(TradingError):
    """A request that no worker of ours sends; nothing was done."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WantedContract(_Strict):
    """One contract of the broker."""

    con_id: int = Field(gt=0)
    exchange: str = Field(min_length=1, max_length=40)


class WantedSpread(_Strict):
    """A calendar spread by the con ids of its months."""

    symbol: str = Field(min_length=1, max_length=40)
    currency: str = Field(min_length=1, max_length=8)
    exchange: str = Field(min_length=1, max_length=40)
    near: int = Field(gt=0)
    far: int = Field(gt=0)


class WantedBars(WantedContract):
    """Historical bars of one contract, up to now."""

    duration: Duration
    size: BarSize


class WantedFxBars(_Strict):
    """Daily bars of a pair as we write it."""

    pair: str
    duration: Duration


class WantedQuotes(_Strict):
    """What changed in these contracts behind version `after`."""

    contracts: list[WantedContract] = Field(min_length=1, max_length=MOST_QUOTES)
    after: int = Field(default=0, ge=0)
    wait_s: Wait = 1.0


class WantedChange(_Strict):
    """Another price for a live order, as a text so that no digit is lost."""

    limit: Annotated[Decimal, Field(allow_inf_nan=False)]


class WantedMargin(WantedContract):
    """The margin after an order of so many lots (signed) at a limit, a text likewise, or at the market."""

    quantity: int
    limit_price: Annotated[Decimal, Field(allow_inf_nan=False)] | None


class WantedMessages(_Strict):
    """What was journaled behind message `after`."""

    after: int = Field(ge=0)
    wait_s: Wait = 1.0


async def wanted(request: Request, model: type[Wanted]) -> Wanted:
    """What the body of `request` asks for.

    Raises:
        Nonsense: it is no JSON, or not of this form; the message names what is wrong.
    """
    try:
        values: Any = await request.json()
    except (JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Nonsense(f"The body for {request.url.path} is no JSON: {error}. Nothing was done.") from error
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the body"
        raise Nonsense(f"{request.url.path}: {place} is wrong: {first['msg']}; found {_short(first['input'])}. "
                       f"Nothing was done.") from error


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
