"""When a contract is left for the next one: roll parameters and the months that follow from them. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta

from trading.errors import DataError
from trading.objects.contracts import MONTH_LETTERS, DeliveryMonth


@dataclass(frozen=True, kw_only=True)
class RollParameters:
    """How one instrument rolls (source: pysystemtrade.md 3.7).

    `hold_cycle` and `priced_cycle` are month letters; `roll_offset_days` counts from the approximate expiry and
    is usually negative; `carry_offset` is -1 (the contract before the priced one) or +1 (the one after).
    """

    hold_cycle: str
    priced_cycle: str
    roll_offset_days: int
    carry_offset: int
    expiry_offset_days: int

    def __post_init__(self) -> None:
        for cycle in (self.hold_cycle, self.priced_cycle):
            if not cycle or not set(cycle) <= set(MONTH_LETTERS):
                raise DataError(f"{cycle!r} is no roll cycle; use month letters of {MONTH_LETTERS}.")
        if self.carry_offset not in (-1, 1):
            raise DataError(f"carry offset {self.carry_offset} is not allowed (allowed: -1, 1).")

    def expiry(self, month: DeliveryMonth) -> date:
        return month.approximate_expiry(self.expiry_offset_days)

    def desired_roll_date(self, month: DeliveryMonth) -> date:
        """The day on which `month` should be left."""
        return self.expiry(month) + timedelta(days=self.roll_offset_days)

    def next_held(self, month: DeliveryMonth) -> DeliveryMonth:
        return _step(month, self.hold_cycle, 1)

    def previous_held(self, month: DeliveryMonth) -> DeliveryMonth:
        return _step(month, self.hold_cycle, -1)

    def next_priced(self, month: DeliveryMonth) -> DeliveryMonth:
        return _step(month, self.priced_cycle, 1)

    def previous_priced(self, month: DeliveryMonth) -> DeliveryMonth:
        return _step(month, self.priced_cycle, -1)

    def carry(self, month: DeliveryMonth) -> DeliveryMonth:
        """The contract that carry is measured against while `month` is priced."""
        return _step(month, self.priced_cycle, self.carry_offset)

    def held_on(self, day: date) -> DeliveryMonth:
        """The first contract of the hold cycle whose roll date is not before `day`."""
        soonest = day - timedelta(days=self.expiry_offset_days + self.roll_offset_days)
        month = DeliveryMonth(soonest.year, soonest.month)
        while month.letter not in self.hold_cycle or self.desired_roll_date(month) < day:
            month = month.shifted(1)
        return month

    def days_until_roll(self, month: DeliveryMonth, today: date) -> int:
        """Days until `month` should be left; negative when that is overdue."""
        return (self.desired_roll_date(month) - today).days


def required(instrument: str, parameters: RollParameters | None) -> RollParameters:
    """The parameters, which must be there.

    Raises:
        DataError: they are not.
    """
    if parameters is None:
        raise DataError(f"{instrument} has no roll parameters. Add it to rollconfig.csv and import again.")
    return parameters


def _step(month: DeliveryMonth, cycle: str, direction: int) -> DeliveryMonth:
    month = month.shifted(direction)
    while month.letter not in cycle:
        month = month.shifted(direction)
    return month
