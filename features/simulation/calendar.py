"""Days as whole numbers, counted from 1970-01-01, and the days that matter."""

from __future__ import annotations

import datetime as dt

import numpy as np

EPOCH = dt.date(1970, 1, 1)
DAYS_PER_YEAR = 365.25
DAYS_PER_MONTH = 30.4375
UNDER_FIVE_DAYS = 1825
PREGNANCY_DAYS = 275


def day(text: str) -> int:
    """The number of a day, written YYYY-MM-DD."""
    return (dt.date.fromisoformat(text) - EPOCH).days


def date(number: int) -> dt.date:
    """The day of that number."""
    return EPOCH + dt.timedelta(days=int(number))


FIRST, LAST = day("2022-01-01"), day("2025-12-31")
"""The registers begin and end here; nothing is recorded outside."""
WEIGHINGS = tuple(day(f"{year}-{month}-15") for year in range(2022, 2026) for month in ("02", "08"))
"""The mass weighings of February and August, by their middle."""
LATEST_WEIGHING = WEIGHINGS[-1]
SURVEYED = day("2024-10-15")
TEST_FROM = "2025-01-01"
"""What is known before trains a model, what comes later tries it."""
MONTHS = np.array([day(f"{year}-{month:02}-01") for year in range(2022, 2026) for month in range(1, 13)])
MASS = np.array([month % 12 in {1, 7} for month in range(len(MONTHS))])


def parts(days: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Year, month and day of the month of each day."""
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    years = months.astype("datetime64[Y]")
    return years.astype(np.int64) + EPOCH.year, (months - years).astype(np.int64) + 1, (dates - months).astype(int) + 1


def month_start(days: np.ndarray) -> np.ndarray:
    """The first day of each day's month."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
