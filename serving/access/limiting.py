"""How often each may ask, counted in this server's memory."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter

from serving.errors import TooMany

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.strategies import RateLimiter

    from serving.access.who import Who
    from serving.settings import Service


class Limits:
    """The counts of a minute."""

    def __init__(self, service: Service) -> None:
        counts = MemoryStorage()
        self._requests, self._sign_ins = FixedWindowRateLimiter(counts), MovingWindowRateLimiter(counts)
        self._person = RateLimitItemPerMinute(service.per_minute)
        self._system = RateLimitItemPerMinute(service.per_minute_system)
        self._address = RateLimitItemPerMinute(service.sign_ins_per_minute)
        self._refused = RateLimitItemPerMinute(service.refused_per_minute)

    def count_request(self, who: Who) -> None:
        """Count a request of somebody.

        Raises
        ------
        TooMany
            It is one more than they may send in a minute.
        """
        if who.kind != "open":
            limit = self._system if who.kind == "system" else self._person
            _count(self._requests, limit, "account", who.account_id or who.name)

    def count_sign_in(self, address: str, *, way: str) -> None:
        """Count a try to sign in from an address, as `count_request`."""
        _count(self._sign_ins, self._address, way, address)

    def count_refused(self, address: str) -> None:
        """Count a session, key or token that did not hold, as `count_request`."""
        _count(self._requests, self._refused, "refused", address)


def _count(counts: RateLimiter, limit: RateLimitItem, *names: str) -> None:
    if counts.hit(limit, *names):
        return
    problem = TooMany(f"More than {limit.amount:,} in a minute.")
    again = counts.get_window_stats(limit, *names).reset_time - time.time()
    if again > 2 * limit.get_expiry():  # the clock was set back since, and the count would stay until then
        counts.clear(limit, *names)
        return
    problem.retry_after_s = max(1, math.ceil(again))
    raise problem
