"""Is this the account that we mean? Asked on every connection, before anything else. Pure."""

from collections.abc import Sequence

from trading.config import Mode

PAPER_PREFIX = "D"  # DU and DF: what the broker calls accounts without money


def account_problem(mode: Mode, configured: str, managed: Sequence[str]) -> str | None:
    """Why nothing may be traded on this gateway, as a sentence; None when all is well."""
    if configured not in managed:
        return (f"The gateway manages {', '.join(managed) or 'no account'}, not {configured}. Set broker.account to "
                f"the account that is meant, or log the gateway in with its user.")
    if mode is Mode.LIVE and configured.startswith(PAPER_PREFIX):
        return (f"Mode is live, and {configured} is a paper account. Set mode: paper, or broker.account and the port "
                f"of the live gateway.")
    if mode is Mode.PAPER and not configured.startswith(PAPER_PREFIX):
        return (f"Mode is paper, and {configured} is an account with real money. Set mode: live if that is what you "
                f"want, or log in to the paper account.")
    return None
