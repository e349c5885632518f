"""Where, among the reports, the gate leaves what it said."""

from __future__ import annotations

from typing import Final

PROMOTION: Final = "promotion"
"""What it said of the pipeline's challenger, or of a version that was to become champion."""
ASKED: Final = "asked-gate"
"""What it said to somebody who only asked."""
