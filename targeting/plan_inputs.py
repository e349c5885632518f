"""What a plan is made of: the scores that the pipeline made last, the registers and the menu, read once."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from features.build import read_registers
from features.errors import InputRefused
from targeting.candidates import Candidates, candidates
from targeting.lists import in_danger, read_scores
from targeting.needs import needs, unknown_codes
from targeting.persons import Person
from targeting.services import MENU, menu

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from features.settings import Settings
    from targeting.policy import Policy
    from targeting.services import Service

SCORES: Final = ("units", "facts", "households", "urgent", "orders", "refits")
SHOWN: Final = ["household_id", "objective", "risk_low", "risk_high", "risk_survey"]
FROM_FACTS: Final = ["household_id", "freshest_on", "stalest_on", "missing_registers"]


@dataclass(frozen=True, eq=False)
class PlanInputs:
    """Everything that a plan depends on but its policy.

    Parameters
    ----------
    on
        The day that the plan is made for: what was recorded later is not seen.
    refits
        Expected stunted children of each unit by each refit of the model, `now_*` and `then_*` by unit_id; no column
        where there are no refits.
    fingerprints
        SHA-256 of every file read, by name.
    of_a_part
        Whether households of some places were taken out: then nothing is said that counts those of the others.
    """

    units: pd.DataFrame
    facts: pd.DataFrame
    intervals: pd.DataFrame
    in_danger: pd.DataFrame
    orders: pd.DataFrame
    refits: pd.DataFrame
    registers: Mapping[str, pd.DataFrame]
    menu: tuple[Service, ...]
    on: dt.date
    fingerprints: dict[str, str]
    of_a_part: bool = False

    @cached_property
    def needs(self) -> pd.DataFrame:
        """What each scored household lacks of the menu."""
        found = needs(self.registers, self.menu, on=self.on)
        return found[found.household_id.isin(self.units.household_id)].reset_index(drop=True)

    @cached_property
    def services(self) -> pd.DataFrame:
        """The menu by code: owner, names, the share of stunting that it is known to prevent [0-1; or null], `of_all`.

        `of_all`: it is of the whole household, and not of one person. `excludes`: codes that it does not go with.
        """
        # An effect without an interval is not known well enough to choose by.
        effects = [s.effect.reduction if s.effect else None for s in self.menu]
        reductions = [one.value if one and one.low is not None else np.nan for one in effects]
        return pd.DataFrame(
            {
                "owner": [s.owner_opd.value for s in self.menu],
                "name_id": [s.name_id for s in self.menu],
                "name_en": [s.name_en for s in self.menu],
                "reduction": reductions,
                "of_all": [s.of is Person.HOUSEHOLD for s in self.menu],
                "excludes": ["; ".join(s.excludes) for s in self.menu],
            },
            index=[s.code for s in self.menu],
        )

    @property
    def model_stamp(self) -> str:
        """The model behind the scores."""
        return str(self.units.model_version.iloc[0])

    @property
    def simulated(self) -> bool:
        """Whether nobody of these registers exists."""
        return bool(self.units.simulated.iloc[0])

    def only(self, inside: Callable[[pd.DataFrame], pd.Series]) -> PlanInputs:
        """The same of some places: a household elsewhere is as one that was never scored.

        Parameters
        ----------
        inside
            Tells of rows with region_id and area_id which of them lie in those places.
        """
        units = self.units[inside(self.units)].reset_index(drop=True)
        theirs = inside(self.in_danger) | self.in_danger.household_id.isin(units.household_id)
        part = replace(self, units=units, in_danger=self.in_danger[theirs].reset_index(drop=True), of_a_part=True)
        needed = self.needs[self.needs.household_id.isin(units.household_id)].reset_index(drop=True)
        vars(part)["needs"] = needed  # made once for all: the engine takes seconds
        return part

    def candidates(self, policy: Policy, *, held: pd.DataFrame | None = None) -> Candidates:
        """Households of a round with all that a list shows of them, and those that do not compete."""
        found = candidates(self.units, self.registers, in_danger=self.in_danger, policy=policy, on=self.on, held=held)
        areas = self.registers["area"][["area_id", "area_name", "region_name"]]
        homes = found.homes.merge(areas, on="area_id", how="left", validate="m:1")
        homes = homes.merge(self.facts[FROM_FACTS], on="household_id", how="left", validate="1:1")
        homes = homes.merge(self.intervals[SHOWN], on=["household_id", "objective"], how="left", validate="1:1")
        return Candidates(homes.assign(model_version=self.model_stamp), found.apart, found.units)

    def draws(self, found: Candidates) -> np.ndarray | None:
        """Value of each competing household under each refit; None without refits. Shape (households, refits)."""
        by_track = {"find": self.refits.filter(regex="^now_"), "prevent": self.refits.filter(regex="^then_")}
        if by_track["find"].empty or not by_track["find"].shape[1]:
            return None
        home = self.refits.unit_id.map(found.units.set_index("unit_id").household_id)
        made = np.zeros((len(found.homes), by_track["find"].shape[1]))
        for track, risks in by_track.items():
            rows = (found.homes.track == track).to_numpy()
            sums = risks.groupby(home.to_numpy()).sum().reindex(found.homes.household_id[rows])
            made[rows] = sums.fillna(0.0).to_numpy()
        return made

    def said(self) -> tuple[str, ...]:
        """What a planner should know of these inputs."""
        unknown = {} if self.of_a_part else unknown_codes(self.registers, self.menu)
        notes = [f"{count:,} receipts of {code!r}, which the menu does not know" for code, count in unknown.items()]
        if self.registers["service"].empty:
            notes.append("no register `service`: what only it can tell to be lacking is not known, and is not planned")
        if self.registers["contact"].empty:
            notes.append("no register `contact`: who was visited, moved, died or objects is not known")
        return tuple(notes)


def inputs(settings: Settings, *, on: dt.date | None = None) -> PlanInputs:
    """The inputs as they lie in the folders of the settings; `on` is the day of the newest fact if None.

    Raises
    ------
    InputRefused
        Nothing was scored yet, or the scores are of an older version.
    """
    frames = {name: read_scores(settings, name) for name in SCORES}
    registers = read_registers(settings.paths.interim)
    newest = frames["facts"].freshest_on.max()
    if on is None and pd.isna(newest):
        raise InputRefused("scores without a date", "a day that the plan is for", "Give it with --on.")
    if on is not None and not pd.isna(newest) and pd.Timestamp(on) < newest:
        raise InputRefused(
            f"a plan of {on} from scores that know facts of {newest:%Y-%m-%d}",
            "a day on which those facts were known",
            "Leave --on out, or score the registers of that day.",
        )
    told = [newest, *(registers[name].recorded_on.max() for name in ("contact", "service"))]
    on = on or max(day for day in told if not pd.isna(day)).date()
    return PlanInputs(
        units=frames["units"],
        facts=frames["facts"],
        intervals=frames["households"],
        in_danger=in_danger(settings),
        orders=frames["orders"],
        refits=frames["refits"],
        registers=registers,
        menu=menu(),
        on=on,
        fingerprints=fingerprints(settings),
    )


def fingerprints(settings: Settings) -> dict[str, str]:
    """SHA-256 of every file that a plan is made of."""
    scores = [settings.paths.scores / f"{name}.parquet" for name in SCORES]
    return {path.name: _digest(path) for path in (*scores, *sorted(settings.paths.interim.glob("*.parquet")), MENU)}


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
