"""A gateway that speaks Interactive Brokers' wire protocol and serves recorded market data.

For development, acceptance tests and dry runs of the whole system. It sends nothing that the real gateway would
not send, and it is no model of the market: whole orders fill at the recorded touch, at once.
"""
