"""Where two honest calculations differ: ours, and those of pysystemtrade, so that its numbers can be reproduced.

Nobody else knows the other system: whoever needs a choice asks the field that names it. Source: oracle
PEER_ODDITIES.md; each field says what is right, and is true by default.
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, kw_only=True)
class Conventions:
    """Each field true: ours."""

    sunday_belongs_to_monday: bool = True  # else a price of Sunday evening is Friday's close: it looks ahead
    percentages_are_of_the_day_before: bool = True  # else of the price that the day's own change has led to
    every_cost_counts: bool = True  # else of two costs on one day only one does
    every_fill_has_a_price: bool = True  # else a cost in percent is nothing for rolls, and on days without a price
    costs_know_no_future: bool = True  # else they are scaled by the volatility of the last day
    costs_begin_at_nothing: bool = True  # else the first cost is lost, and nothing known of the net gain before it
    costs_on_held_prices: bool = True  # else on back-adjusted ones, which may be near nothing, or below it
    scalars_know_no_future: bool = True  # else the first estimated scalar serves the days before it as well
    gains_compound: bool = True  # else losses below the highest capital, and what makes up for them, count less
    crashes_can_be_confirmed: bool = True  # else a move far above the average of moves, itself counted, is refused
    #                                        for good, and a jump over a missing price is not seen
    corrections_bring_new_rows: bool = True  # else rows of a correction that are newer than ours are lost
    calendars_begin_with_a_held_contract: bool = True  # else with any that is priced
    rolls_later_than_prices_are_open: bool = True  # else the last roll of a calendar is, whatever its date
    rolls_follow_the_roll_before: bool = True  # else its approximate date, and two can swap places
    calendars_have_open_ends: bool = True  # else prices before the first and behind the last roll are not used
    rolls_stand_on_the_last_old_row: bool = True  # else, read from multiple prices, on the row after, and the end of
    #                                               the prices counts as one
    costs_are_of_contracts: bool = True  # else, in whole contracts, a cost of one counts as often as its weight
    limits_come_last: bool = True  # else a shortened trade may end beyond a limit, or away from where staying is better
    unknown_is_not_traded: bool = True  # else what lacks data is held at nothing: a closing order
    unknown_pairs_are_replaced: bool = True  # else a correlation of two instruments without any data stays unknown
    weeks_before_the_first_are_unknown: bool = True  # else without gains, and the young seem to diversify
    handcrafted_weights_sum_to_one: bool = True  # else to what their diversification leaves, which favours the known
    best_shares_are_exact: bool = True  # else a search for the weights of a handcrafted pair stops early
    largest_rise: float = 0.10  # of the account in a day; more is rather a deposit than a profit
    largest_fall: float = 0.25  # a loss is believed sooner: sizes must follow it down


class ConventionsName(StrEnum):
    """What a configuration file says."""

    OURS = "ours"
    PYSYSTEMTRADE = "pysystemtrade"

    @property
    def conventions(self) -> Conventions:
        return OURS if self is ConventionsName.OURS else PYSYSTEMTRADE


OURS = Conventions()
PYSYSTEMTRADE = Conventions(
    sunday_belongs_to_monday=False, percentages_are_of_the_day_before=False, every_cost_counts=False,
    every_fill_has_a_price=False, costs_know_no_future=False,
    costs_begin_at_nothing=False, costs_on_held_prices=False, scalars_know_no_future=False, gains_compound=False,
    crashes_can_be_confirmed=False, corrections_bring_new_rows=False, calendars_begin_with_a_held_contract=False,
    rolls_later_than_prices_are_open=False, rolls_follow_the_roll_before=False, calendars_have_open_ends=False,
    rolls_stand_on_the_last_old_row=False, costs_are_of_contracts=False, limits_come_last=False,
    unknown_is_not_traded=False, unknown_pairs_are_replaced=False, best_shares_are_exact=False,
    weeks_before_the_first_are_unknown=False, handcrafted_weights_sum_to_one=False, largest_fall=0.10)
