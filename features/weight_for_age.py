"""Weight-for-age and age of every measurement, which the register of measurements does not hold."""

from __future__ import annotations

import pandas as pd

from features.growth import growth


def aged(measurement: pd.DataFrame, child: pd.DataFrame) -> pd.DataFrame:
    """The measurements with `age_days` and `waz`, as the register could have written them.

    Sex and date of birth are the newest that were known when the measurement was recorded, else the child's first. On
    every `as_of` of a child its first record is known, so that neither reaches beyond it. Oedema, or an age or sex not
    known, gives no `waz`; an age before birth is null.

    Parameters
    ----------
    measurement, child
        The registers.
    """
    born = child[["child_id", "recorded_on", "birth_date", "sex"]].sort_values(["recorded_on", "child_id"])
    asked = measurement.sort_values(["recorded_on", "child_id", "measured_on"], ignore_index=True)
    first = born.drop_duplicates("child_id").set_index("child_id")
    found = pd.merge_asof(asked[["child_id", "recorded_on"]], born, on="recorded_on", by="child_id")
    birth = found.birth_date.fillna(asked.child_id.map(first.birth_date))
    sex = found.sex.where(found.birth_date.notna(), asked.child_id.map(first.sex))
    days = (asked.measured_on - birth).dt.days.astype(float)
    days = days.where(days >= 0)
    oedema = asked.oedema.map({True: "y", False: "n"})
    made = growth(pd.DataFrame({"sex": sex, "age": days, "weight": asked.weight_kg, "oedema": oedema}))
    return asked.assign(age_days=days, waz=made.zwei)
