"""The one monotonic clock of code that waits on an event loop: the loop's own.

Its time-outs and the deadlines that are compared with it can then never disagree, and a loop with
another clock moves both.
"""

import asyncio


def now() -> float:
    """Seconds on the running loop's clock; raises RuntimeError where no loop runs."""
    return asyncio.get_running_loop().time()
