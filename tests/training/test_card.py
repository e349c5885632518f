"""The model card: both forms say the same, warn first, hide nothing and leave out only what they name."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import card
from training.card_page import LARGEST

MODEL = SimpleNamespace(name="determinants", data="4f" * 32, seed=7, base_rate=0.206, simulated=False)
WHERE = SimpleNamespace(stamp="determinants-128adc392df3", version="3")
# A PNG of one grey point.
POINT = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==")
NO_PLOTS = Path(__file__).parent
FIGURES = ("auc", "average_precision", "brier", "log_loss", "calibration_slope", "calibration_intercept", "ece",
           "precision_at_10", "precision_at_20", "recall_at_10", "recall_at_20")  # fmt: skip
DIFFERENCE = {"difference": 0.1324, "low": 0.1191, "high": 0.1458}
READS = (
    {"when": "2026-05-01T08:00:00+00:00", "stamp": "determinants-1", "why": "evaluation"},
    {"when": "2026-05-03T09:30:00+00:00", "stamp": "determinants-2", "why": "another width of the slope"},
)


def around(at, *names):
    """Each figure a little further than the one before, with an interval around it."""
    made = {}
    for place, name in enumerate(names):
        value = at + place / 100
        made |= {name: value, f"{name}_low": value - 0.02, f"{name}_high": value + 0.02}
    return made


def metrics():
    rule = around(0.3, *FIGURES) | dict.fromkeys(
        [f"{name}{end}" for name in ("brier", "log_loss", "ece") for end in ("", "_low", "_high")], np.nan
    )
    return {
        "protocol": "temporal: outcomes before 2014-01-01 train, units from then on test; unweighted",
        "n": 9864, "base_rate": 0.176, "champion": "determinants",
        "models": {"determinants": around(0.51, *FIGURES), "logistic": around(0.42, *FIGURES)},
        "baselines": {"krs_rank_count": rule},
    }  # fmt: skip


def group(dimension, name, *, gap=0.01, verdict="inside", n=1000):
    return {"dimension": dimension, "group": name, "n": n, "clusters": 30, "stunted": 200, "risk": 0.2 + gap,
            "observed": 0.2, "gap": gap, "gap_low": gap - 0.005, "gap_high": gap + 0.005, "slope": 1.02, "ece": 0.01,
            "verdict": verdict}  # fmt: skip


def gap(dimension, measure, at, *, verdict="inside", allowed=0.1, share=0.1, pair=("rural", "urban")):
    return {"dimension": dimension, "measure": measure, "best": pair[0], "worst": pair[1], "told": 1.0, "untold": "",
            "share": share, "gap": at, "gap_low": at - 0.01, "gap_high": at + 0.01, "allowed": allowed,
            "verdict": verdict}  # fmt: skip


def details():
    band = {"n": 1004, **around(0.61, *FIGURES)}
    beside = {"n": 1004, "base_rate": 0.09, "auc": 0.61, "age_and_sex_auc": 0.564, **around(0.262, "auc_lead")}
    cohort = {"by": "all", "group": "all", "infants": 1916, "later": 1425, "forecast": 0.227, "observed": 0.192}
    return {
        "simulated": False,
        "krs_reading": "kb_unknown_counts",
        "baselines_said": {"krs_rank_count": "as declared"},
        "lead_over_krs_rank_count": {"auc": DIFFERENCE},
        "households": {"n": 8135, "forecast": 0.204, "observed": 0.189, **around(0.847, *FIGURES)},
        "within_age_bands": {"0-5": band},
        "without_register": {"maternal": dict.fromkeys(FIGURES, 0.777)},
        "seeds": {"auc": {"mean": 0.8406, "sd": 0.0004}},
        "cost_of_masking": {"auc": 0.0002, "precision_at_10": 0.0091},
        "protocols": {
            "temporal": {"all": around(0.841, *FIGURES)},
            "new_places": {"all": around(0.839, *FIGURES), "weighted": around(0.833, *FIGURES)},
            "new_regions": {
                "all": around(0.829, *FIGURES),
                "within": {"mean": 0.813, "by_region": {"N": 0.7, "S": 0.9}},
            },
        },
        "groups": {
            "calibration": [group("sex", "girl"), group("place", "rural")],
            "gaps": [gap("sex", "calibration", 0.014, allowed=0.03, share=np.nan), gap("place", "recall", 0.05)],
            "costs": [{"dimension": "sex", "share": 0.1, "rule": "equal recall", **around(-0.01, "change")}],
            "outside": [],
        },
        "reached": {
            "times_the_rule": [{"capacity": 0.1, **around(1.62, "recall_ratio")},
                               {"capacity": 0.2, **around(1.39, "recall_ratio")}],
            "by_quota": [{"capacity": 0.1, **around(-0.041, "recall_gain")}],
            "by_area_quota": [{"capacity": 0.1, **around(-0.132, "recall_gain")}],
        },
        "old_facts": {"until": "2013-01-01", "n": 9957, "cost": {"auc": DIFFERENCE}},
        "age": {"all": beside, "0-5": beside},
        "infants_at_24_months": {"year": 2012, "later_year": 2014, "compared": [cohort | DIFFERENCE]},
        "measurements": [{"group": "all", "height_n": 29175, "height_halves": 0.208, "weight_halves": 0.203,
                          "height_score": 2.4, "haz_sd": 1.08, "flagged": 0.0, "digits": "good", "spread": "good",
                          "implausible": "good"}],
        "label_noise": [{"sd": 0.3, "turned": 0.065, "jaccard": 0.88, "auc": 0.8408, "auc_change": -0.001, "lift": 0}],
        "absent": {"known_features": 85, "never_known": {"maternal": ["muac"]}, "not_in_training": {},
                   "not_in_test": {}, "cost": None, "compared_with": None},
    }  # fmt: skip


class Page(HTMLParser):
    """What a reader sees of a page, and its tags in order."""

    def __init__(self, html):
        super().__init__()
        self.said, self.tags, self.open = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert tag == self.open.pop(), f"{tag} closes what it did not open"

    def handle_data(self, data):
        if not {"style", "title", "nav"} & set(self.open):
            self.said.append(data)

    def of(self, *names):
        return [(tag, given) for tag, given in self.tags if tag in names]


def text(changes=None, **more):
    return card.text(MODEL, WHERE, metrics(), details() | (changes or {}), **more)


def page(changes=None, *, plots=NO_PLOTS, **more):
    return card.page(MODEL, WHERE, metrics(), details() | (changes or {}), plots=plots, **more)


def section(markdown, title):
    return markdown.split(f"\n## {title}\n")[1].split("\n## ")[0].strip()


def words(said):
    """Figures and words, without the marks of either form."""
    return re.findall(r"[+-]?[\w.,%:]+", said)


def test_both_forms_hold_the_same_words_and_figures_in_the_same_order():
    seen = Page(page(reads=READS, about="Registers of a kabupaten."))

    assert words(text(reads=READS, about="Registers of a kabupaten.")) == words(" ".join(seen.said))


def test_every_section_is_there_and_none_is_named_as_not_measured():
    whole = text()

    assert list(card.SECTIONS) == re.findall(r"^## (.*)$", whole, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("title", "figure"),
    [
        ("In short", "58.0% (56.0%-60.0%) are stunted; of all children 17.6%"),
        ("Data", "9,864 children"),
        ("Protocol", "outcomes before 2014-01-01 train"),
        ("Against the rules in use", "| determinants | 0.580 (0.560-0.600) |"),
        ("Against the rules in use", "| krs_rank_count | AUC | +0.132 (+0.119 to +0.146) |"),
        ("What a visit finds", "| 10% | 1.62 (1.60-1.64) |"),
        ("What a visit finds", "| 20% | 1.39 (1.37-1.41) |"),
        ("In places it has never seen", "| (b) and in places never seen | survey-weighted | 0.833 (0.813-0.853) |"),
        ("In places it has never seen", "the lowest is 0.700 (N) and the highest 0.900 (S)"),
        ("Calibration", "| determinants | 0.570 (0.550-0.590) |"),
        ("Calibration by group", "| sex | girl | 1,000 | 0.210 | 0.200 | +0.010 (+0.005 to +0.015) | 1.02 | inside |"),
        ("By age", "| 0-5 | 1,004 | 0.610 | 0.564 | +0.262 (+0.242 to +0.282) |"),
        ("Infants at 24 months", "| all | 1,916 | 1,425 | 0.227 | 0.192 | +0.132 (+0.119 to +0.146) |"),
        ("Households", "| Households of the test | 8,135 |"),
        ("What the model looks at", "85 features"),
        ("Over seeds", "| AUC | 0.8406 | 0.0004 |"),
        ("Without a register", "| maternal | 0.777 |"),
        ("Without a register", "`maternal` 1 feature"),
        ("A stale model", "before 2013-01-01 (9,957 children)"),
        (
            "How well children were measured",
            "| all | 29,175 | 20.8% | 20.3% | 2.4 | good | 1.08 | good | 0.00% | good |",
        ),
        ("Worse labels", "| 0.3 | none | 6.5% | 0.88 | 0.841 | -0.001 |"),
    ],
)
def test_a_section_tells_its_figures(title, figure):
    assert figure in section(text(), title)


def test_the_card_says_which_model_it_is_of():
    head = text(about="Registers of a kabupaten.").split("\n## ")[0]

    for mark in ("determinants-128adc392df3", "| 3 |", "| 7 |", "4f" * 32, "20.6%", "Registers of a kabupaten."):
        assert mark in head


@pytest.mark.parametrize("by", ["details", "model"])
def test_a_simulated_models_card_warns_before_anything_else(by):
    model = SimpleNamespace(**{**vars(MODEL), "simulated": by == "model"})
    told = details() | {"simulated": by == "details"}
    lines = card.text(model, WHERE, metrics(), told, about="Registers.").splitlines()
    seen = Page(card.page(model, WHERE, metrics(), told, plots=NO_PLOTS, about="Registers."))

    assert "> **Simulated data.**" == lines[2]
    assert "say nothing of how well the model would do" in lines[4]
    assert "Simulated data." == [said.strip() for said in seen.said if said.strip()][1]


def test_a_real_models_card_does_not_speak_of_simulation():
    assert "imulated" not in text()


@pytest.mark.parametrize("nothing", [None, {}, [], "absent"])
@pytest.mark.parametrize(
    ("key", "title"),
    [
        ("households", "Households"),
        ("protocols", "In places it has never seen"),
        ("reached", "What a visit finds"),
        ("old_facts", "A stale model"),
        ("infants_at_24_months", "Infants at 24 months"),
        ("measurements", "How well children were measured"),
        ("label_noise", "Worse labels"),
        ("seeds", "Over seeds"),
        ("absent", "What the model looks at"),
    ],
)
def test_a_section_without_figures_is_left_out_and_named_as_not_measured(key, title, nothing):
    told = {name: value for name, value in details().items() if name != key}
    told |= {} if nothing == "absent" else {key: nothing}

    made = card.text(MODEL, WHERE, metrics(), told)

    assert f"## {title}\n" not in made
    assert f"Not measured here: {title}." == section(made, "Not measured")


def test_the_same_infants_at_two_stand_beside_their_forecast():
    figures = {"before": "2024-01-01", "n": 812, "forecast": 0.2, "observed": 0.19, **DIFFERENCE, **around(0.7, "auc")}

    said = section(text({"infants_followed": figures}), "Infants at 24 months")

    assert "812 infants known before 2024-01-01, asked at 24 months" in said
    assert "Forecast 0.200, observed 0.190" in said


@given(st.sets(st.sampled_from(sorted(details()))), st.sets(st.sampled_from(sorted(metrics()))))
def test_whatever_is_missing_there_is_a_card_that_names_every_section_once(without, neither):
    told = {name: value for name, value in details().items() if name not in without}
    measured = {name: value for name, value in metrics().items() if name not in neither}

    made = card.text(MODEL, WHERE, measured, told)

    named = section(made, "Not measured").split(": ")[1].rstrip(".").split("; ") if "## Not measured" in made else []
    shown = re.findall(r"^## (.*)$", made, flags=re.MULTILINE)
    assert sorted(card.SECTIONS) == sorted([*named, *(title for title in shown if title != "Not measured")])


def without_one(value):
    """The same, once for each part that it may lack, however deep."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield {other: kept for other, kept in value.items() if other != name}
            yield value | {name: None}
            yield from (value | {name: less} for less in without_one(inner))
    if isinstance(value, list):
        for place, inner in enumerate(value):
            yield from ([*value[:place], less, *value[place + 1 :]] for less in without_one(inner))


def test_no_single_missing_figure_stops_the_card():
    for told in without_one(details()):
        assert "# Model card" in card.text(MODEL, WHERE, metrics(), told)
    for measured in without_one(metrics()):
        assert "# Model card" in card.text(MODEL, WHERE, measured, details())


def test_a_figure_that_is_not_a_number_is_a_dash():
    calibration = {**metrics()["models"]["determinants"], "brier": np.nan}
    made = card.text(MODEL, WHERE, metrics() | {"models": {"determinants": calibration}}, details())

    assert [] == re.findall(r"\bnan\b", made)
    assert "0.560 (0.540-0.580) | - | 0.540 (0.520-0.560) |" in section(made, "Calibration")


def test_gaps_outside_their_bounds_stand_at_the_top_of_fairness():
    told = {"groups": details()["groups"] | {
        "gaps": [gap("sex", "recall", 0.01), gap("mother", "recall", 0.246, verdict="outside", pair=("listed", "not"))],
        "outside": ["Found: by mother, recall is 0.246 apart. Allowed: 0.1. What to do: look."],
    }}  # fmt: skip
    made = section(text(told), "Fairness between groups")
    first = [line for line in made.splitlines() if line.startswith("| ")]

    assert made.startswith("> **Outside the bounds: 1.**\n>\n> Found: by mother, recall is 0.246 apart.")
    assert first[1].startswith("| mother | recall | 10% | 0.246 (0.236-0.256) | 0.10 | not / listed | outside |")
    assert "Gaps between groups that lie outside their bounds: 1." in section(text(told), "In short")
    assert 1 == len([tag for tag, given in Page(page(told)).of("div") if given.get("class") == "alert"])


def test_a_gap_outside_its_bounds_is_told_even_where_nobody_put_it_into_words():
    told = {"groups": {"gaps": [gap("mother", "recall", 0.246, verdict="outside", pair=("listed", "not listed"))]}}

    assert section(text(told), "Fairness between groups").startswith(
        "> **Outside the bounds: 1.**\n>\n> Found: by mother, recall is 0.246 (0.236-0.256) apart, not listed / listed."
    )


def test_a_group_outside_its_bounds_stands_at_the_top_of_calibration_by_group():
    found = [group("sex", "girl"), group("place", "rural", gap=0.08, verdict="outside")]
    made = section(text({"groups": details()["groups"] | {"calibration": found}}), "Calibration by group")

    assert made.startswith(
        "> **Outside the bounds: 1.**\n>\n> place rural: mean risk 0.280, observed 0.200, gap +0.080"
    )
    assert made.index("| place | rural |") < made.index("| sex | girl |")


def test_too_few_to_tell_is_said_and_no_group_is_hidden():
    found = [group("sex", "girl"), group("language", "Sunda", gap=-0.094, verdict="too few to tell", n=247)]
    made = section(text({"groups": details()["groups"] | {"calibration": found}}), "Calibration by group")

    assert "| language | Sunda | 247 |" in made.split("Too few to tell: nobody knows yet")[1]
    assert "yet wholly beyond it: language Sunda (-0.094 (-0.099 to -0.089), 247 children)" in made


def test_a_gap_that_nothing_limits_is_not_called_inside():
    told = {"groups": details()["groups"] | {"gaps": [gap("place", "recall", 0.299, allowed=1.0)]}}

    assert "| no limit | urban / rural | not bounded |" in section(text(told), "Fairness between groups")


HOSTILE = "<script>alert(1)</script> | [x](javascript:a) `b *c*\n# d & \"e\" 'f'"


def test_hostile_names_of_groups_stay_letters_in_both_forms():
    found = details()["groups"] | {
        "calibration": [group(HOSTILE, HOSTILE, gap=0.2, verdict="outside")],
        "gaps": [gap(HOSTILE, "recall", 0.3, verdict="outside", pair=(HOSTILE, HOSTILE))],
        "outside": [HOSTILE],
    }
    said = {"groups": found, "krs_reading": HOSTILE, "without_register": {HOSTILE: {}}}
    reads = [dict.fromkeys(("when", "stamp", "why"), HOSTILE)]
    seen = Page(page(said, about=HOSTILE, reads=reads))
    made = text(said, about=HOSTILE, reads=reads)

    assert [] == seen.of("script")
    assert all(given["href"].startswith("#") for _, given in seen.of("a"))
    assert "<script>alert(1)</script>" in " ".join(seen.said)
    assert "<script" not in made
    assert [] == re.findall(r"(?<!\\)\[x", made)
    assert "# d" not in [line[:3] for line in made.splitlines()]
    judged = [line for line in section(made, "Calibration by group").splitlines() if line.startswith("| ")]
    assert [9, 9] == [len(re.findall(r"(?<!\\)\|", line)) for line in judged]


@given(st.text())
def test_no_name_whatever_it_is_makes_a_tag_or_a_row(name):
    told = details()["groups"] | {"calibration": [group("sex", name)]}
    made = section(text({"groups": told}), "Calibration by group")

    assert 1 == sum(line.startswith("| sex |") for line in made.split("\n"))
    assert "<" not in made
    assert [] == [tag for tag in Page(page({"groups": told})).open if tag != "p"]


def test_reads_of_the_test_period_are_counted():
    assert "No read was recorded." == section(text(), "How often the test period was read")
    assert "was read 1 time." in text(reads=READS[:1])
    twice = section(text(reads=READS), "How often the test period was read")
    assert twice.startswith("The test period was read 2 times.")
    assert "| 2026-05-03T09:30:00+00:00 | determinants-2 | another width of the slope |" in twice


def test_the_page_asks_for_nothing_from_elsewhere_and_shows_a_picture_beside_its_figures(tmp_path):
    (tmp_path / "calibration.png").write_bytes(POINT)
    (tmp_path / "beeswarm.png").write_bytes(POINT)
    made = page(plots=tmp_path)
    seen = Page(made)

    addresses = [given.get("src", given.get("href")) for _, given in seen.of("img", "link", "script", "iframe")]
    assert 2 == len(seen.of("img"))
    assert {"data"} == {address.split(":")[0] for address in addresses}
    assert [] == re.findall(r"https?://|@import|url\(", made)
    assert made.index('id="calibration"') < made.index("data:image/png") < made.index('id="calibration-by-group"')
    assert all(len(given["alt"]) > 30 for _, given in seen.of("img"))


def test_pictures_that_would_make_the_page_too_large_are_left_out(tmp_path):
    for name in ("roc.png", "calibration.png"):
        (tmp_path / name).write_bytes(POINT + bytes(int(LARGEST * 0.4)))
    (tmp_path / "beeswarm.png").write_bytes(POINT)
    made = page(plots=tmp_path)

    assert 2 == len(Page(made).of("img"))
    assert len(made.encode()) < 3_000_000


def test_the_page_can_be_read_by_anyone():
    seen = Page(page(reads=READS))

    assert [("html", {"lang": "en"})] == seen.of("html")
    assert ["h1", *["h2"] * (1 + len(card.SECTIONS))] == [tag for tag, _ in seen.of("h1", "h2", "h3", "h4")]
    assert {"col", "row"} == {given.get("scope") for _, given in seen.of("th")}
    assert len(seen.of("table")) == len(seen.of("caption"))
    assert [given["href"][1:] for _, given in seen.of("a")] == [given["id"] for _, given in seen.of("h2")][1:]
    assert [] == seen.open


def test_a_model_that_is_not_the_champion_is_measured_by_its_own_figures_and_says_whose_list_it_is():
    model = SimpleNamespace(**{**vars(MODEL), "name": "history"})
    figures = metrics() | {"models": {"history": around(0.71, *FIGURES), "determinants": around(0.51, *FIGURES)}}
    told = {
        "simulated": False,
        "lead_over": {"last_haz": {"auc": DIFFERENCE}, "determinants": {"ece": DIFFERENCE}},
        "tripwire": {"not_judged": ["haz_last"], "why": "Children keep their place.", "auc_alone": {"haz_last": 0.83}},
    }
    made = card.text(model, WHERE, figures, told)

    assert "| Model | history |" in made
    assert "78.0% (76.0%-80.0%) are stunted" in section(made, "In short")
    assert "This model makes no list; `determinants` does." in section(made, "Intended use")
    assert "| last_haz | AUC | +0.132 (+0.119 to +0.146) |" in section(made, "Against the rules in use")
    assert "| haz_last | 0.830 |" in section(made, "What the model looks at")
    assert "Fairness between groups" in section(made, "Not measured")


def test_the_card_blames_no_mother_and_no_family():
    assert "A high risk is nobody's fault" in section(text(), "Must not be used")
    assert "It says nothing about them." in section(text(), "Fairness between groups")
