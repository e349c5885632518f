"""What became of a plan: labels with their weights, and the model beside what was found."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from features.contracts import REGISTERS
from features.errors import InputRefused
from features.settings import Outcome, load
from features.validation import empty
from targeting.births import births_of
from targeting.limits import Limits
from targeting.outcomes import LABEL, followed_up, judged, told
from targeting.outcomes_run import follow_up
from targeting.plan import plan
from targeting.plan_files import LINE, Gaps, write
from targeting.plan_inputs import PlanInputs
from targeting.plan_lots import drawn as by_lot_drawn
from targeting.policy import policy_of
from tests.conftest import ROOT
from tests.drawn import drawn

ON = dt.date(2024, 6, 1)
WINDOW = Outcome(from_days=0, to_days=300)
LINES = drawn("""
    household_id | chosen_for     | chance | weight
    -------------+----------------+--------+-------
    h1           | value          | 1.0    | 1
    h2           | floors.region  | 1.0    | 1
    h3           | exploration    | 0.25   | 4
""")
UNITS = drawn("""
    unit_id      | unit_kind | child_id | mother_id | household_id | risk_now | risk_at_24m
    -------------+-----------+----------+-----------+--------------+----------+------------
    ani          | child     | ani      | m1        | h1           | 0.6      | 0.7
    budi         | child     | budi     | m1        | h1           | 0.5      |             |
    pregnancy-m2 | pregnancy |          | m2        | h2           |          | 0.3
    citra        | child     | citra    | m3        | h3           | 0.2      |             |
    dewi         | child     | dewi     | m4        | h4           | 0.1      |             |
    eka          | child     | eka      | m5        | h5           | 0.1      |             |
""")
BIRTHS = drawn("""
    child_id | mother_id | birth_date
    ---------+-----------+-----------
    ani      | m1        | 2023-01-01
    budi     | m1        | 2021-01-01
    fitri    | m2        | 2024-08-15
""")
MEASURED = drawn("""
    child_id | measured_on | recorded_on | haz
    ---------+-------------+-------------+------
    ani      | 2024-05-20  | 2024-05-25  | -1.00
    ani      | 2024-06-03  | 2024-06-05  | -9.00
    ani      | 2024-07-03  | 2024-07-05  | -2.40
    ani      | 2024-09-03  | 2024-09-05  | -1.00
    budi     | 2024-06-01  | 2024-06-02  | -2.00
    citra    | 2025-06-01  | 2025-06-02  | -3.00
    dewi     | 2024-07-01  | 2024-07-02  | -3.00
    fitri    | 2024-10-15  | 2024-10-16  | -2.10
""")
COMPETING = pd.Series(["h1", "h2", "h3", "h4", "h5"])


def came(lines=LINES, units=UNITS, measured=MEASURED, births=BIRTHS):
    return followed_up(lines, units, measured, births=births, on=ON, window=WINDOW)


def of(made, unit_id, *columns):
    return tuple(made.set_index("unit_id").loc[unit_id, list(columns)])


def found(lines=LINES, units=UNITS, measured=MEASURED, competing=COMPETING):
    followed = came(lines, units, measured)
    return judged(followed, lines=lines, units=units, competing=competing)


def test_every_unit_of_a_visited_household_has_one_row_and_nobody_else():
    made = came()
    assert ["ani", "budi", "pregnancy-m2", "citra"] == made.unit_id.tolist()
    assert list(LABEL) == list(made.columns)
    assert {pd.Timestamp(ON)} == set(made.as_of)


def test_the_outcome_is_the_first_plausible_height_from_the_day_of_the_plan():
    made = came()
    assert (1, pd.Timestamp("2024-07-03"), pd.Timestamp("2024-07-05"), -2.4) == of(
        made, "ani", "stunted", "measured_on", "outcome_known_on", "haz"
    )
    assert (0, -2.0) == of(made, "budi", "stunted", "haz")


def test_a_child_without_a_measurement_in_the_window_has_no_outcome_and_the_row_says_so():
    stunted, measured_on, why = of(came(), "citra", "stunted", "measured_on", "why_none")
    assert pd.isna(stunted)
    assert pd.isna(measured_on)
    assert "not measured" == why


def test_the_weight_and_the_risks_are_those_of_the_plan():
    made = came()
    assert ("exploration", 0.25, 4.0, 0.2) == of(made, "citra", "chosen_for", "chance", "weight", "risk_now")
    assert ("value", 1.0, 1.0, 0.6, 0.7) == of(made, "ani", "chosen_for", "chance", "weight", "risk_now", "risk_at_24m")


def test_a_pregnancy_has_the_outcome_of_the_child_that_was_born_of_it():
    assert ("fitri", 1) == of(came(), "pregnancy-m2", "child_id", "stunted")


@pytest.mark.parametrize("born_on", ["2024-05-31", "2024-06-01", "2025-03-30"])
def test_a_child_born_before_or_long_after_is_of_another_pregnancy(born_on):
    made = came(births=BIRTHS.assign(birth_date=BIRTHS.birth_date.where(BIRTHS.mother_id != "m2", born_on)))
    child, stunted, why = of(made, "pregnancy-m2", "child_id", "stunted", "why_none")
    assert pd.isna(child)
    assert pd.isna(stunted)
    assert "not born or not linked" == why


def test_of_twins_the_first_by_identifier_is_followed():
    twin = BIRTHS[BIRTHS.child_id == "fitri"].assign(child_id="fajar")
    assert ("fajar",) == of(came(births=pd.concat([BIRTHS, twin])), "pregnancy-m2", "child_id")


def test_a_mother_is_known_by_the_child_or_else_by_the_pregnancy_that_names_it():
    child = drawn("""
        child_id | recorded_on | mother_id | birth_date
        ---------+-------------+-----------+-----------
        ani      | 2024-01-01  | m9        | 2023-01-05
        ani      | 2024-02-01  | m1        | 2023-01-01
        fitri    | 2024-09-01  |           | 2024-08-15
        gita     | 2024-09-01  |           | 2024-08-15
    """)
    pregnancy = drawn("""
        pregnancy_id | recorded_on | mother_id | child_id
        -------------+-------------+-----------+---------
        p1           | 2024-05-01  | m2        |          |
        p1           | 2024-09-01  | m2        | fitri
        p2           | 2024-09-01  | m8        | ani
    """)
    made = births_of(child, pregnancy)
    assert {"ani": "m1", "fitri": "m2"} == dict(zip(made.child_id, made.mother_id, strict=True))
    assert [pd.Timestamp("2023-01-01"), pd.Timestamp("2024-08-15")] == made.birth_date.tolist()


@effort(max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_rows_changes_nothing(seed):
    lines, units, measured, births = (
        rows.sample(frac=1, random_state=seed) for rows in (LINES, UNITS, MEASURED, BIRTHS)
    )
    pd.testing.assert_frame_equal(came(), came(lines, units, measured, births))
    again = judged(came(), lines=lines, units=units, competing=COMPETING[::-1])
    assert told(found()) == told(again)


def test_what_was_found_stands_beside_what_was_expected_by_why_a_household_was_visited():
    value, limit, lot = found().by_choice
    assert ("value", 1, 2, 2, 1) == (value.chosen_for, value.visits, value.children, value.measured, value.stunted)
    assert pytest.approx(1.1) == value.expected
    assert ("limit", 1, 0, 0, None) == (limit.chosen_for, limit.visits, limit.children, limit.measured, limit.low)
    assert ("exploration", 1, 1, 0) == (lot.chosen_for, lot.visits, lot.children, lot.measured)


def test_pregnancies_are_counted_and_nothing_is_expected_of_them():
    made = found()
    assert (1, 1, 1, 1) == (made.pregnancies, made.born, made.born_measured, made.born_stunted)


def test_lots_without_an_outcome_are_said_to_show_nothing():
    made = found()
    assert 3 == made.unchosen.households  # h3, h4 and h5: h2 has no child yet
    assert pytest.approx(0.4 / 3) == made.unchosen.expected
    assert None is made.unchosen.found is made.unchosen.model
    assert told(made)[-2] == (
        "not chosen: 3 households with a child; the model says 13.3% have a stunted one, and nothing shows it: "
        "no visit by lot has an outcome, for 3 households; measure some of them first."
    )


def test_a_plan_without_lots_is_said_to_have_none():
    made = found(lines=LINES[LINES.chosen_for != "exploration"])
    assert "no visit of the plan fell by lot" in made.unchosen.why_none
    assert "no visit of the plan fell by lot" in made.everyone.why_none


def test_a_plan_of_everybody_leaves_nobody_unchosen():
    lines = LINES[LINES.household_id == "h1"]
    made = found(lines=lines, competing=pd.Series(["h1"]))
    assert (0, None, None) == (made.unchosen.households, made.unchosen.expected, made.unchosen.found)
    assert (1.0, 1.0, 1.0) == dataclasses.astuple(made.everyone.found)[:3]


def test_a_household_counts_once_each_of_its_children_has_an_outcome():
    lines = LINES[LINES.household_id == "h1"]
    half = found(lines=lines, measured=MEASURED[MEASURED.child_id == "ani"], competing=pd.Series(["h1"]))
    assert 1 == half.by_choice[0].stunted
    assert None is half.everyone.found
    assert "no visit chosen has an outcome, for 1 households" in half.everyone.why_none


@pytest.mark.parametrize(("risk", "verdict"), [(0.01, "too low"), (0.5, "within chance"), (0.99, "too high")])
def test_a_model_that_errs_where_nobody_looks_is_found_out_by_the_lots(risk, verdict):
    """Twenty households by lot of 220 that were not chosen, half of the twenty with a stunted child."""
    names = [f"h{n:03}" for n in range(221)]
    units = pd.DataFrame(
        {"unit_id": names, "unit_kind": "child", "child_id": names, "mother_id": None, "household_id": names,
         "risk_now": [0.9] + [risk] * 220, "risk_at_24m": np.nan}
    )  # fmt: skip
    lines = pd.DataFrame(
        {"household_id": names[:21], "chosen_for": ["value"] + ["exploration"] * 20, "chance": [1.0] + [20 / 220] * 20,
         "weight": [1.0] + [11.0] * 20}
    )  # fmt: skip
    measured = pd.DataFrame(
        {"child_id": names[:21], "measured_on": pd.Timestamp("2024-07-01"), "recorded_on": pd.Timestamp("2024-07-02"),
         "haz": [-3.0] + [-3.0, 0.0] * 10}
    )  # fmt: skip
    made = found(lines, units, measured, pd.Series(names))

    assert verdict == made.unchosen.model
    assert 0.5 == made.unchosen.found.share
    assert pytest.approx((1 + 110) / 221) == made.everyone.found.share
    assert told(made)[-2].endswith(f"the model says {risk:.1%}: {verdict}")


HOMES = [f"h{n:02}" for n in range(60)]
RNG = np.random.default_rng(1)
MANY = pd.DataFrame(
    {"unit_id": HOMES, "unit_kind": "child", "child_id": HOMES, "mother_id": None, "household_id": HOMES,
     "risk_now": np.linspace(0.6, 0.02, 60), "risk_at_24m": np.nan}
)  # fmt: skip
TRULY = pd.DataFrame(
    {"child_id": HOMES, "measured_on": pd.Timestamp("2024-07-01"), "recorded_on": pd.Timestamp("2024-07-02"),
     "haz": np.where(RNG.random(60) < MANY.risk_now, -3.0, 0.0)}
)  # fmt: skip


def round_of(name, *, chosen, by_lot):
    """A plan of the riskiest and of lots."""
    first = np.arange(60) < chosen
    cells = {"lots": np.array([by_lot]), "cell": np.zeros(60, dtype=int)}
    limits = Limits(lines=(), visits=chosen + by_lot, by_lot=by_lot, notes=(), **cells)
    lots = by_lot_drawn(limits, HOMES, first, salt=name)
    chance = np.where(lots, by_lot / (60 - chosen), 1.0)
    rows = pd.DataFrame({"household_id": HOMES, "chosen_for": np.where(lots, "exploration", "value"), "chance": chance})
    return rows[first | lots].assign(weight=lambda rows: 1 / rows.chance)


def test_over_many_rounds_the_weighted_outcomes_are_those_of_everybody():
    truth = (TRULY.haz < -2).sum()
    weighed, plain = [], []
    for n in range(150):
        made = came(round_of(f"round-{n}", chosen=10, by_lot=10), MANY, TRULY)
        weighed.append((made.weight * made.stunted.astype(float)).sum())
        plain.append(made.stunted.mean() * 60)

    # One round has a standard deviation of 5.4 children, the mean of 150 one of 0.45.
    assert abs(np.mean(weighed) - truth) < 1.5
    assert np.mean(plain) - truth > 5


@effort(max_examples=25)
@given(by_lot=st.integers(1, 60), name=st.text(max_size=5))
def test_with_every_visit_by_lot_the_weighted_share_of_children_is_the_plain_share(by_lot, name):
    made = came(round_of(name, chosen=0, by_lot=by_lot), MANY, TRULY)
    stunted = made.stunted.astype(float)

    assert pytest.approx(60) == made.weight.sum()
    assert pytest.approx(stunted.mean()) == np.average(stunted, weights=made.weight)


# The run: a plan made of drawn households, its folder as `tepat plan` writes it, and registers as ingested.

PLANNED = drawn("""
    household_id | region_id | area_id | value | risk
    -------------+-----------+---------+-------+-----
    -h1          | kota      | a1      | 1.1   | 0.80
    002          | kota      | a1      | 0.3   | 0.30
    003          | kota      | a1      | 0.2   | 0.20
    004          | kota      | a1      | 0.1   | 0.10
""").assign(
    posyandu_id=None, track="find", never_measured=None, pregnant=False, under_24_months=False, unit_count=1,
    stalest_on=pd.Timestamp("2024-01-01"),
)  # fmt: skip
SCORED = drawn("""
    unit_id | unit_kind | child_id | mother_id | household_id | risk_now | risk_at_24m
    --------+-----------+----------+-----------+--------------+----------+------------
    =ani    | child     | =ani     | m1        | -h1          | 0.6      | 0.7
    05      | child     | 05       |           | -h1          | 0.5      |             |
    06      | child     | 06       |           | 002          | 0.3      |             |
    07      | child     | 07       |           | 003          | 0.2      |             |
    08      | child     | 08       |           | 004          | 0.1      |             |
""").assign(simulated=False, model_version="determinants-1")
MENU = pd.DataFrame(
    {"owner": ["pupr"], "name_id": ["Jamban"], "name_en": ["Latrine"], "reduction": [np.nan]}, index=["latrine"]
)
NEEDS = drawn("""
    household_id | service | status | persons | cost_idr
    -------------+---------+--------+---------+---------
    -h1          | latrine | unmet  | 1       | 300
    002          | latrine | unmet  | 1       | 300
    003          | latrine | unmet  | 1       | 300
    004          | latrine | unmet  | 1       | 300
""").assign(why_id=None, why_en=None)
POLICY = {"version": "1", "name": "uji", "round": "r1", "capacity": {"amount": 2}, "reserves": {"exploration": 0.5}}


@pytest.fixture
def project(tmp_path):
    """Settings of a project with registers and scores, and the folder of its plan."""
    own = load(ROOT / "params.yaml", tmp_path / "no-run.yaml")
    places = {name: tmp_path / name for name in ("interim", "scores")}
    own = own.model_copy(update={"paths": own.paths.model_copy(update=places), "outcome": WINDOW})
    for place in (*places.values(), tmp_path / "plan"):
        place.mkdir()
    rows = {
        "household": PLANNED[["household_id"]],
        "measurement": MEASURED.assign(child_id=MEASURED.child_id.replace({"ani": "=ani", "budi": "05"})),
    }
    for name, register in REGISTERS.items():
        handed = rows.get(name, pd.DataFrame())
        pd.concat([empty(register), handed]).to_parquet(places["interim"] / f"{name}.parquet")
    SCORED.to_parquet(places["scores"] / "units.parquet")
    keep(tmp_path / "plan", scored=digest(places["scores"] / "units.parquet"))
    return own, tmp_path / "plan"


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def keep(folder, *, scored):
    made = plan(policy_of(POLICY, of="a test"), PLANNED, apart=drawn(APART).astype(object), needs=NEEDS, menu=MENU)
    made = dataclasses.replace(made, lines=made.lines.reindex(columns=list(LINE)))
    of_plan = PlanInputs(
        units=SCORED, facts=pd.DataFrame(), intervals=pd.DataFrame(), in_danger=pd.DataFrame({"child_id": []}),
        orders=pd.DataFrame(), refits=pd.DataFrame(), menu=(), on=ON, fingerprints={"units.parquet": scored},
        registers={name: empty(REGISTERS[name]) for name in ("service", "contact")},
    )  # fmt: skip
    write(made, folder, of=of_plan, gaps=Gaps(pd.DataFrame({"a": []}), pd.DataFrame({"a": []})))


APART = """
    household_id | region_id | area_id | why
    -------------+-----------+---------+------
    z1           | kota      | a1      | moved
"""


def change(folder, **entries):
    said = json.loads((folder / "plan.json").read_text())
    (folder / "plan.json").write_text(json.dumps(said | entries))


def outcomes_of(folder):
    """A plan of the pipeline stays as it is, or the pipeline would run again."""
    return folder.with_name(f"{folder.name}-outcomes")


def test_outcomes_lie_beside_the_plan_with_what_they_come_to(project, capsys):
    own, folder = project
    made = follow_up(own, folder)
    beside = outcomes_of(folder)
    account = json.loads((beside / "outcomes.json").read_text())
    rows = pd.read_csv(beside / "outcomes.csv", dtype=str, encoding="utf-8-sig")

    assert digest(beside / "outcomes.csv") == account["tables"]["outcomes.csv"]
    assert {"from_days": 0, "to_days": 300, "from": "2024-06-01", "to": "2025-03-28"} == account["window"]
    # Identifiers that a spreadsheet would run are found again, and stay harmless.
    assert ["'=ani", "05"] == sorted(rows.unit_id[rows.household_id == "'-h1"])
    assert {"'=ani": "1", "05": "0"} == rows[rows.household_id == "'-h1"].set_index("unit_id").stunted.to_dict()
    assert (2, 3) == (made.visits, made.unchosen.households)
    assert "2 of 3 children have an outcome, in 2 households visited" == capsys.readouterr().out.splitlines()[0]


def test_the_same_plan_and_registers_make_the_same_bytes_elsewhere(project, tmp_path):
    own, folder = project
    before = sorted(path.name for path in folder.iterdir())
    follow_up(own, folder, out=tmp_path / "elsewhere" / "may")
    assert before == sorted(path.name for path in folder.iterdir())
    follow_up(own, folder)
    for name in ("outcomes.csv", "outcomes.json"):
        assert (tmp_path / "elsewhere" / "may" / name).read_bytes() == (outcomes_of(folder) / name).read_bytes()


def test_units_kept_with_the_plan_outlive_the_scores(project):
    own, folder = project
    first = follow_up(own, folder)
    (own.paths.scores / "units.parquet").unlink()

    assert first == follow_up(own, folder)


def test_outcomes_that_may_still_come_are_told(project, capsys):
    own, folder = project
    late = own.model_copy(update={"outcome": Outcome(from_days=0, to_days=730)})
    follow_up(own, folder)
    assert "more may come" not in capsys.readouterr().out
    follow_up(late, folder)
    assert "outcomes count until 2026-06-01, and the newest measurement is of 2025-06-01: more may come" in (
        capsys.readouterr().out
    )


def altered(path):
    path.write_text(path.read_text().replace("value", "worth"))


def under_another_key(path):
    rows = pd.read_parquet(path)
    rows.assign(household_id="x" + rows.household_id).to_parquet(path)


@pytest.mark.parametrize(
    ("spoilt", "spoil", "words"),
    [
        ("plan/plan.json", lambda path: path.unlink(), "no plan that can be read in .*Name the folder that"),
        ("plan/plan.json", lambda path: path.write_text("[]"), "no plan that can be read in .*TypeError"),
        ("plan", lambda path: change(path, simulated=True), "a plan of simulated households, and real registers"),
        ("plan/plan.csv", altered, r"another plan\.csv in .*its chances are the weights"),
        ("plan/left_out.csv", lambda path: path.unlink(), r"no .*left_out\.csv.*Name the folder that"),
        ("plan/units.csv", lambda path: path.unlink(), r"no .*units\.csv.*Name the folder that"),
        (
            "interim/household.parquet",
            under_another_key,
            "0 of the 2 households of the plan in the register `household`.*the same key",
        ),
        ("interim/measurement.parquet", lambda path: path.unlink(), "no register measurement in .*Run `tepat ingest`"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_words_and_nothing_is_written(project, spoilt, spoil, words):
    own, folder = project
    spoil(folder.parent / spoilt)
    with pytest.raises(InputRefused, match=words):
        follow_up(own, folder)
    assert not outcomes_of(folder).exists()


def test_a_folder_that_is_none_is_refused(project, tmp_path):
    own, folder = project
    (tmp_path / "note.txt").write_text("")
    with pytest.raises(InputRefused, match="no plan that can be read"):
        follow_up(own, tmp_path / "nowhere")
    with pytest.raises(InputRefused, match=r"note\.txt is a file"):
        follow_up(own, folder, out=tmp_path / "note.txt")
