"""Why a gateway does not answer: looked at once, by hand, after the library has given up. Async."""

import asyncio
from typing import Final

_HELLO: Final = b"API\0" + (9).to_bytes(4, "big") + b"v157..178"
_LONGEST_ANSWER: Final = 1000  # the handshake is far shorter; a length beyond this is no length
_WAIT_S: Final = 3.0


async def what_listens(host: str, port: int) -> str:
    """What is found at the address, as the middle of a sentence."""
    try:
        async with asyncio.timeout(_WAIT_S):
            reader, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return "the machine does not answer"
    except OSError as error:
        return f"nothing listens there ({error.strerror or error})"
    try:
        writer.write(_HELLO)
        async with asyncio.timeout(_WAIT_S):
            return _said(await reader.readexactly(4))
    except TimeoutError:
        return "it accepts connections and says nothing (a gateway that is starting, logging in or hanging)"
    except (asyncio.IncompleteReadError, ConnectionError):
        return ("it closes the connection at once (a gateway that does not allow this address or is not logged in, or "
                "another program)")
    finally:
        writer.close()


def _said(first: bytes) -> str:
    length = int.from_bytes(first, "big")
    if length <= _LONGEST_ANSWER:
        return "a gateway answers, but did not finish the greeting in time"
    return f"what listens there is no gateway: it begins with {first!r}"
