"""A household's risks with some facts changed: the answers of two requests, side by side."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys

import pytest

from serving.what_if import NO_DIFFERENCE, NOT_EFFECT, compared
from targeting.answer import Answer, Explained, Unit
from targeting.reasons import Reason
from targeting.what_if import changed
from tests.project import QUIET

pytestmark = pytest.mark.xdist_group("serving-2")
ASKED = """
import json, pathlib, sys
from features.errors import InputRefused
from serving.once import score_file
from serving.what_if import compare_facts

def answered(question):
    try:
        return compare_facts(question[0], question[1:])
    except InputRefused as refusal:
        return str(refusal)

questions, *files = json.loads(sys.stdin.read())
print(json.dumps([[answered(one) for one in questions], *(score_file(pathlib.Path(file)) for file in files)]))
"""


def reason(text):
    return Reason("toilet", text, text, 0.2)


def explained(risk, *reasons):
    return Explained(risk, 0.0, 0.0, 0.0, reasons, {})


def child(name, now, then=None):
    return Unit(name, "child", name, None, dt.date(2024, 1, 1), 20.0, now, then)


def told(*units, find=None):
    return Answer("h1", find, None, find, units, (), {}, None, None, (), area_known=True)


def test_risks_and_reasons_stand_side_by_side():
    before = told(child("c1", explained(0.25, reason("no latrine")), explained(0.5)), find=0.25)
    after = told(child("c1", explained(0.125), explained(0.5)), find=0.125)

    said = compared(before, after)

    assert {"before": 0.25, "after": 0.125, "difference": -0.125} == said["household"]["risk_find"]
    assert {"before": None, "after": None, "difference": None} == said["household"]["risk_prevent"]
    (unit,) = said["units"]
    assert (-0.125, 0) == (unit["now"]["difference"], unit["at_24m"]["difference"])
    assert ["no latrine"] == [one["text_id"] for one in unit["now"]["reasons_before"]]
    assert [] == unit["now"]["reasons_after"]
    assert said["no_difference"] is None


def test_a_child_who_is_judged_in_one_answer_only_has_no_difference_and_is_no_reason_to_say_nothing_moved():
    said = compared(told(child("c1", explained(0.25)), find=0.25), told())

    assert (0.25, None, None) == tuple(said["units"][0]["now"][name] for name in ("before", "after", "difference"))
    assert said["no_difference"] is None


def test_where_no_risk_moves_that_is_said():
    one = told(child("c1", explained(0.25)), find=0.25)

    assert NO_DIFFERENCE == compared(one, one)["no_difference"]


def ask(kabupaten, questions, *files):
    """What is said to each question, then of the request in each file; in one process, for it takes long to start."""
    done = subprocess.run(  # noqa: S603 (our own command)
        [sys.executable, "-c", ASKED], cwd=kabupaten.folder, text=True, capture_output=True, check=False,
        input=json.dumps([questions, *map(str, files)]),
        env=os.environ | QUIET | {"PYTHONPATH": str(kabupaten.folder)},
    )  # fmt: skip
    assert 0 == done.returncode, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def home(facts):
    """A household of which the registers know a toilet and a mother's height."""
    for one in facts.values():
        known = one["registers"]
        if known.get("sanitation") and any("height_cm" in row for row in known.get("maternal", ())):
            return one
    pytest.fail("no household of fifty has both")


def test_the_answer_is_that_of_both_requests_and_says_that_it_is_association(kabupaten, home, tmp_path):
    changes = ["maternal.height_cm=141", "sanitation.toilet=none"]
    asked = {"households": [home]}
    (tmp_path / "before.json").write_text(json.dumps(asked))
    (tmp_path / "after.json").write_text(json.dumps(changed(asked, changes)))
    files = (tmp_path / "before.json", tmp_path / "after.json")

    (made,), *alone = ask(kabupaten, [[home["household_id"], *changes]], *files)

    said = json.loads(made)
    for when, answer in zip(("before", "after"), map(json.loads, alone), strict=True):
        (told_alone,) = answer["households"]
        assert {name: told_alone[name] for name in said["household"]} == {
            name: risk[when] for name, risk in said["household"].items()
        }
        assert [u["now"] and u["now"]["risk"] for u in told_alone["units"]] == [
            u["now"] and u["now"][when] for u in said["units"]
        ]
        assert answer["model"] == said["model"]
    assert NOT_EFFECT == said["note"]
    assert "bukan dampak" in said["note"]["id"]
    assert changes == said["changes"]
    assert said["no_difference"] is None


def test_a_refusal_says_what_was_found(kabupaten, home):
    name = home["household_id"]
    questions = {
        "a household that no register knows": ["nobody", "sanitation.toilet=none"],
        "unknown code": [name, "sanitation.toilet=golden"],
        "no change": [name],
        "the facts after the change": [name, "child.birth_date=2999-01-01"],
    }
    (refusals,) = ask(kabupaten, [*questions.values()])

    for found, refusal in zip(questions, refusals, strict=True):
        assert found in refusal.split("Allowed: ")[0]
