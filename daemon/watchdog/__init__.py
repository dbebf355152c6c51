"""The independent watchdog (RC-39): a process of its own beside the daemon, with connections of its own.

It reads positions and open orders at the broker, and level, limits and the leader's lease in the store. It may raise
the kill level and cancel everything. It asks the daemon nothing, so it lives on when that hangs or is killed.
"""
