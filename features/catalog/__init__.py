"""Every feature, declared once, one file per subject."""

from __future__ import annotations

import hashlib

from features.catalog import area, child, growth, maternal, poverty, sanitation
from features.catalog.feature import Feature, Subject, View

CATALOG: tuple[Feature, ...] = (
    *poverty.FEATURES, *sanitation.FEATURES, *maternal.FEATURES, *child.FEATURES, *area.FEATURES,
)  # fmt: skip
EARLIER: tuple[Feature, ...] = growth.FEATURES
"""Apart from `CATALOG`: only the model `history` knows them, and a request never asks for them."""
BY_NAME = {f.name: f for f in CATALOG}
if len(BY_NAME.keys() | {f.name for f in EARLIER}) != len(CATALOG) + len(EARLIER):
    msg = "Two features share a name."
    raise ValueError(msg)


def fingerprint(catalog: tuple[Feature, ...] = CATALOG) -> str:
    """SHA-256 over what decides a value: names, views, expressions, ranges, rounding, directions."""
    lines = [f"{f.name}|{f.view}|{f.value!r}|{f.valid}|{f.decimals}|{f.direction}" for f in catalog]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


__all__ = ["BY_NAME", "CATALOG", "EARLIER", "Feature", "Subject", "View", "fingerprint"]
