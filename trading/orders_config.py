"""Configuration of execution and of the controls: two sections of tradingd.yaml."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, PositiveFloat

from trading.process_config import Section


class Style(StrEnum):
    """How orders of strategies are worked when nobody says otherwise."""

    BEST = "best"  # at our own side first, then across
    MARKETABLE = "marketable"  # at the far side, within a collar
    ADAPTIVE = "adaptive"  # by the broker's own algo
    POV = "pov"  # with the market's volume


class OrdersConfig(Section):
    """How patient execution is, and how orders are worked. `style` null: best; marketable in mode simulated.

    `participation` is the share of the market's volume that an order of style pov takes. `good_till_date`: an order
    ends by itself at the broker a minute after its algo should have ended it, should nobody be there to do so; null:
    not in mode simulated, where the gateway's clock may be set.
    """

    time_out_s: PositiveFloat = 60.0
    acknowledge_within_s: PositiveFloat = 5.0
    confirm_break_after_s: PositiveFloat = 15.0
    prove_lost_within_s: PositiveFloat = 60.0
    style: Style | None = None
    participation: Annotated[float, Field(gt=0, le=0.10)] = 0.05
    good_till_date: bool | None = None


class RiskConfig(Section):
    """Limits of the controls that depend on the account; shares are fractions, 0.01 is one percent."""

    order_risk_soft: Annotated[float, Field(gt=0, le=1)] = 0.01
    order_risk_hard: Annotated[float, Field(gt=0, le=1)] = 0.02
    order_notional_hard: PositiveFloat = 1.0
    gross_notional: PositiveFloat = 20.0
    class_risk_share: Annotated[float, Field(gt=0, le=1)] = 0.40
    instrument_risk_share: Annotated[float, Field(gt=0, le=1)] = 0.15
    largest_order: Annotated[int, Field(ge=1)] | None = None
    ask_margin: bool = True
