"""The controls RC-01 to RC-45, by topic: each a pure function of a proposal, a snapshot and the settings.

Two are not here. RC-39: the watchdog is a second process with a client id of its own (daemon/watchdog); what it does
about what it sees is decided in trading/risk/watchdog.py. RC-40: the precautions of the broker's own program (size,
value, percent from the price) are a second layer that an operator sets, with the read-only API off on the trading
gateway alone.
Source: orders_and_risk.md section 3.
"""
