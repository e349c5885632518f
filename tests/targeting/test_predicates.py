import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from features.engines import opened
from features.errors import InputRefused
from features.schema import Column, Kind
from targeting.predicates import lacking, parsed, value
from tests.conftest import DUCKDB
from tests.drawn import drawn

COLUMNS = {
    "age_months": Column("age_months", Kind.NUMBER, "Age.", "unknown", unit="months", valid=(0, 60)),
    "whz": Column("whz", Kind.NUMBER, "Score.", "unknown", unit="SD", valid=(-20, 20)),
    "muac_cm": Column("muac_cm", Kind.NUMBER, "Arm.", "unknown", unit="cm", valid=(6, 30)),
    "oedema": Column("oedema", Kind.YES_NO, "Swollen.", "unknown"),
    "toilet": Column("toilet", Kind.CODE, "Toilet.", "unknown", codes={"none": "none", "pit_slab": "pit"}),
    "seen_on": Column("seen_on", Kind.DATE, "Day.", "unknown"),
}
TYPES = {"whz": "float64", "muac_cm": "float64", "oedema": "boolean", "toilet": "string"}
ROWS = drawn("""
    who | whz  | muac_cm | oedema | toilet   |
    ----+------+---------+--------+----------+
    ana | -2.5 | 13.0    | 0      | none     |
    ben | -1.0 | 12.0    | 0      | pit_slab |
    cia | -1.0 | 13.0    | 1      | none     |
    dua |      | 13.0    |        | pit_slab |
    eka | -2.5 |         | 0      |          |
    feb | -1.0 |         |        | none     |
""").astype(TYPES)
ANSWERS = {
    "whz < -2": "100?10",
    "whz < -2 or muac_cm < 12.5": "110?1?",
    "whz < -2 and muac_cm < 12.5": "0000?0",
    "not (whz < -2 and muac_cm < 12.5)": "1111?1",
    "-2 > whz": "100?10",
    "whz <> -1": "100?10",
    "whz between -2.5 and -2": "100?10",
    "whz not between -2.5 and -2": "011?01",
    "whz in (-2.5, -1)": "111?11",
    "toilet in ('none')": "1010?1",
    "toilet not in ('none')": "0101?0",
    "toilet = 'none'": "1010?1",
    "toilet != 'none'": "0101?0",
    "muac_cm is null": "000011",
    "muac_cm is not null": "111100",
    "muac_cm is not null and muac_cm < 12.5": "010000",
    "oedema": "001?0?",
    "not oedema": "110?1?",
    "oedema = true": "001?0?",
    "oedema <> true": "110?1?",
    "oedema or toilet = 'none'": "101??1",
}


def asked(engine, ask):
    """True, false and null of each row as 1, 0 and ?, in the order of the rows."""
    table = engine.hold("people", ROWS)
    facts = {name: table[name] for name in TYPES}
    made = engine.fetch(table.select("who", **{f"a{place}": one for place, one in enumerate(ask(facts))}))
    made = made.sort_values("who").drop(columns="who")
    return ["".join("?" if pd.isna(one) else str(int(one)) for one in made[name]) for name in made]


def test_null_is_not_known_on_both_engines(engine):
    found = asked(engine, lambda facts: [value(parsed(text, COLUMNS), facts) for text in ANSWERS])

    assert list(ANSWERS.values()) == found


def test_the_fact_that_leaves_a_predicate_open_is_named_and_no_other(engine):
    predicate = parsed("(whz < -2 and oedema) or muac_cm < 12.5", COLUMNS)

    def ask(facts):
        return [value(predicate, facts), *(lacking(predicate, facts, names=[n]) for n in ("whz", "oedema", "muac_cm"))]

    # Of feb the arm is why; a swelling not looked for is not, beside a weight that is normal.
    assert ["010???", "000100", "000100", "000011"] == asked(engine, ask)


def test_facts_that_a_predicate_does_not_read_are_never_why():
    assert lacking(parsed("whz < -2 or muac_cm is null", COLUMNS), {}, names=["muac_cm", "toilet"]) is None


def test_a_predicate_knows_what_it_reads():
    assert {"whz", "muac_cm"} == parsed("whz < -2 or not (muac_cm between 11.5 and 12.5)", COLUMNS).columns


@pytest.mark.parametrize(
    ("text", "found", "allowed"),
    [
        ("age_month >= 6", "unknown fact 'age_month'", "age_months, muac_cm, oedema"),
        ("lower(toilet) = 'none'", "LOWER(toilet)", "facts compared"),
        ("whz + 1 < 2", "whz + 1", "facts compared"),
        ("whz < muac_cm", "muac_cm", "facts compared"),
        ("whz in (select 1)", "SELECT 1", "facts compared"),
        ("exists (select 1)", "EXISTS", "facts compared"),
        ("p.whz < 2", "p.whz", "facts compared"),
        ("whz", "'whz' on its own", "yes/no"),
        ("1 = 1", "'1' where a fact", "facts compared"),
        ("true", "TRUE", "facts compared"),
        ("whz = null", "NULL", "facts compared"),
        ("oedema is true", "IS TRUE", "is null"),
        ("whz < 2; drop table people", "DROP", "facts compared"),
        ("whz < '2'", "whz compared with '2'", "from -20 to 20"),
        ("muac_cm < 125", "muac_cm compared with 125", "a number from 6 to 30 cm"),
        ("toilet = 'nome'", "toilet compared with 'nome'", "one of none, pit_slab"),
        ("toilet in ('none', 'pit')", "toilet compared with 'pit'", "one of none, pit_slab"),
        ("toilet < 'none'", "toilet", "= <> and in"),
        ("oedema = 1", "oedema compared with 1", "true or false"),
        ("whz <", "cannot be read", "facts compared"),
        ("", "cannot be read", "facts compared"),
        ("case when oedema then oedema end", "CASE", "facts compared"),
        ("whz between 1 and muac_cm", "muac_cm", "facts compared"),
        ("whz::int > 1", "CAST", "facts compared"),
    ],
)
def test_anything_else_is_refused_with_what_was_found_and_what_is_allowed(text, found, allowed):
    with pytest.raises(InputRefused) as refused:
        parsed(text, COLUMNS)

    assert found in refused.value.found
    assert allowed in refused.value.allowed
    assert refused.value.remedy


def test_a_near_miss_is_named():
    with pytest.raises(InputRefused, match=r"Did you mean muac_cm\?"):
        parsed("muac < 12.5", COLUMNS)


# Python's own three-valued logic, to compare with: None is not known.
def kleene(tree, facts):
    name, *parts = tree
    if name in facts:
        return None if facts[name] is None else facts[name] < parts[0]
    if name == "not":
        inner = kleene(parts[0], facts)
        return None if inner is None else not inner
    sides = [kleene(part, facts) for part in parts]
    decides = name == "or"
    return decides if decides in sides else (None if None in sides else not decides)


def written(tree):
    name, *parts = tree
    if name == "not":
        return f"not ({written(parts[0])})"
    return f"({written(parts[0])}) {name} ({written(parts[1])})" if name in {"and", "or"} else f"{name} < {parts[0]}"


NUMBERS = {"whz": (-3, -2, 0), "muac_cm": (11, 12, 13), "age_months": (6, 24, 50)}
leaves = st.sampled_from([(name, limit) for name, limits in NUMBERS.items() for limit in limits])
trees = st.recursive(
    leaves,
    lambda inner: st.tuples(st.just("not"), inner) | st.tuples(st.sampled_from(["and", "or"]), inner, inner),
    max_leaves=6,
)
people = st.fixed_dictionaries({name: st.sampled_from([None, *limits]) for name, limits in NUMBERS.items()})


@effort(max_examples=40)
@given(st.lists(trees, min_size=1, max_size=4), st.lists(people, min_size=1, max_size=8))
def test_every_expression_has_the_answer_of_three_valued_logic(asked_of, persons):
    rows = pd.DataFrame(persons).astype("float64").assign(row=range(len(persons)))
    with opened(DUCKDB) as engine:
        table = engine.hold("people", rows)
        facts = {name: table[name] for name in NUMBERS}
        answers = {f"a{n}": value(parsed(written(tree), COLUMNS), facts) for n, tree in enumerate(asked_of)}
        made = engine.fetch(table.select("row", **answers)).sort_values("row")

    expected = [[kleene(tree, person) for person in persons] for tree in asked_of]
    assert expected == [[None if pd.isna(one) else bool(one) for one in made[name]] for name in answers]
