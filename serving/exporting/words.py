"""How a file writes days, moments and shares: as the page does, in Indonesian."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from babel.dates import format_date, format_datetime, get_timezone
from babel.numbers import format_percent

from serving.bands import as_shown, band_of

if TYPE_CHECKING:
    import datetime as dt

INDONESIAN: Final = "id"


def day(date: dt.date) -> str:
    """A day, its month in words.

    Examples
    --------
    >>> import datetime
    >>> day(datetime.date(2026, 8, 2))
    '2 Agu 2026'
    """
    return format_date(date, "d MMM y", locale=INDONESIAN)


def moment(at: dt.datetime, *, zone: str) -> str:
    """A moment on the district's clock.

    Examples
    --------
    >>> import datetime
    >>> moment(datetime.datetime(2026, 11, 28, 21, 51, tzinfo=datetime.UTC), zone="Asia/Jakarta")
    '29 Nov 2026, 04.51'
    """
    return format_datetime(at, "d MMM y, HH.mm", get_timezone(zone), locale=INDONESIAN)


def percent(share: float, decimals: int = 0) -> str:
    """A share of 0-1.

    Examples
    --------
    >>> percent(0.229), percent(0.099, 1)
    ('23%', '9,9%')
    """
    return format_percent(share, f"#,##0{'.' if decimals else ''}{'0' * decimals}%", locale=INDONESIAN)


def risk(share: float) -> str:
    """A risk of 0-1 with its class.

    Examples
    --------
    >>> risk(0.229), risk(0.0999)
    ('23% tinggi', '9,9% rendah')
    """
    return f"{percent(*as_shown(share))} {band_of(share).words}"
