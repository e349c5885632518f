"""What the metrics refuse to measure: labels, risks and weights, each counted and located."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def check_rows(label: Floats, risk: Floats, *, calibrated: bool) -> None:
    """Refuse labels and risks that do not pair, a label other than 0 or 1, and a risk that is null.

    Where the risk is said to be `calibrated`, also one outside 0-1.

    Raises
    ------
    ValueError
        It counts the rows at fault and locates the first.
    """
    if label.ndim != 1 or label.shape != risk.shape:
        message = f"label has shape {label.shape} and risk {risk.shape}; give one of each per row."
        raise ValueError(message)
    _refuse("labels", ~np.isin(label, (0, 1)), "are not 0 or 1; drop rows without an outcome")
    _refuse("risks", np.isnan(risk), "are null; score every row first")
    if calibrated:
        outside = (risk < 0) | (risk > 1)
        _refuse("risks", outside, "are outside 0-1; calibrate them, or pass calibrated=False")


def check_weight(weight: Floats, rows: int) -> None:
    """Refuse a weight that is null or negative, or not one per row.

    Raises
    ------
    ValueError
        As for `check_rows`.
    """
    if weight.shape != (rows,):
        message = f"weight has shape {weight.shape}; give one per row, shape ({rows},)."
        raise ValueError(message)
    _refuse("weights", ~(weight >= 0), "are null or negative; use 0 to leave a row out")


def _refuse(what: str, wrong: NDArray[np.bool_], why: str) -> None:
    if wrong.any():
        message = f"{wrong.sum()} of {wrong.size} {what} {why}; first: row {wrong.argmax()}."
        raise ValueError(message)
