"""The page of a household in a real service: its sums, its facts, and what can be done on it."""

from __future__ import annotations

import contextlib
import json
import math
import re
import time
from decimal import Decimal
from html import unescape
from types import SimpleNamespace
from urllib.parse import quote

import pandas as pd
import pytest

from features.catalog import BY_NAME
from features.catalog.wording import reason
from features.contracts import REGISTERS
from serving.access.scope import EVERYWHERE, Scope
from serving.changed_facts import answers, known_facts
from serving.fact_asked import asked_for
from serving.field_store import Correction
from serving.household_view import risk_of
from serving.pages.frame import TEMPLATES
from serving.pages.language import spoken
from serving.register_rows import WITHHELD
from serving.register_words import code_name, column_name, is_named, register_name
from serving.rows import SCORED_FROM
from serving.score_store import ScoreStore
from serving.store import open_store
from targeting.reasons import GROUP_OF, UNSAID
from targeting.waterfall import PLACES, Reasons, waterfall
from targeting.waterfall_words import GROUP_NAMES
from tests.serving.conftest import Server
from tests.serving.known import OWN, person
from tests.serving.scored import HOMES, keep, run, stamp_of
from tests.serving.watching import LAPTOP, PHONE, Watched
from training.contributions import PARTS

pytestmark = pytest.mark.xdist_group("pages")
HTML = {"Accept": "text/html"}
HALF_OF_A_TENTH = 0.0005 + 0.00013
"""A share shown with one decimal of a percent, and the log-odds with three, whose logistic it is."""


class Reader:
    """A browser without JavaScript: what somebody sees, and the forms that they send."""

    def __init__(self, server: Server, said: dict[str, str]) -> None:
        self.client, self.said = server.client, {"Cookie": said["Cookie"]} | HTML

    def get(self, path, language="id"):
        cookies = {"Cookie": f"{self.said['Cookie']}; tepat_language={language}"}
        return self.client.get(path, headers=self.said | cookies)

    def page(self, path, language="id"):
        answer = self.get(path, language)
        assert answer.status_code == 200, answer.text[:600]
        return answer.text

    def send(self, page, action, language="id", **fields):
        """A form of a page by its address, with what stands in it and what is filled in."""
        forms = re.findall(r"<form.*?</form>", page, re.DOTALL)
        [form] = [one for one in forms if re.search(rf'action="{re.escape(action)}(#\w+)?"', one)]
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))
        filled = {name: unescape(value) for name, value in hidden.items()} | fields
        cookies = {"Cookie": f"{self.said['Cookie']}; tepat_language={language}"}
        return self.client.post(action, data=filled, headers=self.said | cookies)


@pytest.fixture(scope="module")
def region(scores):
    return scores[scores.region_id.notna()].region_id.min()


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('households')}/tepat.db"


@pytest.fixture(scope="module")
def readers(kabupaten, region, url):
    folder = url.removeprefix("sqlite:///").removesuffix("/tepat.db")
    running = Server(kabupaten.folder, TEPAT_DATABASE=url, TEPAT_ACCESS="closed", TEPAT_FOLDER=folder)
    places = {"near": Scope(regions=frozenset({region})), "all": EVERYWHERE}
    found = {
        name: Reader(running, person(url, running, name, roles=["planner"], scope=of)) for name, of in places.items()
    }
    found["dpo"] = Reader(running, person(url, running, "dpo", roles=["dpo"]))
    found["auditor"] = Reader(running, person(url, running, "auditor", roles=["auditor"]))
    yield found
    running.stop()


@pytest.fixture(scope="module")
def homes(scores, region):
    """Households of the region: with a child, with a pregnancy, with several; and one of another region."""
    near = scores[scores.region_id == region]
    counts = near.groupby("household_id").size()
    return {
        "child": near[near.unit_kind == "child"].household_id.iloc[0],
        "pregnancy": near[near.unit_kind == "pregnancy"].household_id.iloc[0],
        "many": counts.index[counts.argmax()],
        "far": scores[scores.region_id != region].household_id.dropna().iloc[0],
    }


def path_of(home):
    return f"/households/{quote(home, safe='')}"


def logistic(log_odds):
    return 1 / (1 + math.exp(-log_odds))


def shown(share):
    """A share as the page says it in Indonesian, read back."""
    return float(share.strip("%").replace(",", ".")) / 100


def tables_of(page):
    """Of each waterfall: its unit, the amounts of its steps, and each sum with the risk beside it."""
    for unit, table in re.findall(r'<table class="waterfall" data-unit="([^"]+)">(.*?)</table>', page, re.DOTALL):
        steps = re.findall(r'data-step="(\w+)">.*?data-amount="([^"]+)">([^<]+)</td>', table, re.DOTALL)
        sums = dict(re.findall(r'data-total="(\w+)" data-amount="([^"]+)"', table))
        risks = dict(re.findall(r'data-risk="(\w+)">([^<]+)<', table))
        yield unit, steps, sums, risks


@pytest.mark.parametrize("kind", ["child", "pregnancy", "many"])
def test_the_numbers_of_a_waterfall_add_up_to_the_shown_risk(readers, homes, scores, kind):
    page = readers["all"].page(path_of(homes[kind]))
    published = scores[scores.household_id == homes[kind]].set_index("unit_id")
    found = list(tables_of(page))

    assert set(published.index) == {unit for unit, *_ in found}
    for unit, steps, sums, risks in found:
        amounts = [(kind, Decimal(amount)) for kind, amount, _ in steps]
        until_now = sum(amount for kind, amount in amounts if kind != "age")
        assert Decimal(sums["now"]) == until_now
        assert ["base", "rest"] == [kind for kind, _ in amounts if kind not in ("group", "age")]
        assert all(
            said.replace("\N{MINUS SIGN}", "-").replace(",", ".").strip("+") == amount.strip("+")
            for _, amount, said in steps
        )
        assert float(sums["now"]) == pytest.approx(published.log_odds[unit], abs=0.0006)
        if "now" in risks:
            assert shown(risks["now"]) == pytest.approx(logistic(float(sums["now"])), abs=HALF_OF_A_TENTH)
            assert shown(risks["now"]) == pytest.approx(published.risk_now[unit], abs=0.0006)
        if "24m" in sums:
            assert Decimal(sums["24m"]) == sum(amount for _, amount in amounts)
            assert shown(risks["24m"]) == pytest.approx(logistic(float(sums["24m"])), abs=HALF_OF_A_TENTH)
            assert shown(risks["24m"]) == pytest.approx(published.risk_at_24m[unit], abs=0.0006)


def test_an_interval_and_the_survey_s_level_stand_beside_a_risk_where_there_are_any():
    row = {"risk_now_low": 0.052, "risk_now_high": 0.21, "risk_now_survey": math.nan, "risk_at_24m_survey": 0.33}
    macro = TEMPLATES.get_template("household_words.html").module.risk
    now, later = (
        macro(risk_of(0.1, row, name), spoken("id", zone="Asia/Jakarta")) for name in ("risk_now", "risk_at_24m")
    )

    assert "10,0%" in now
    assert "sedang" in now
    assert "(antara 5,2% dan 21,0%)" in now
    assert "survei" not in now
    assert "menurut tingkat survei: 33,0%" in later
    assert "antara" not in later


def test_what_rounding_leaves_goes_to_the_rest_whatever_the_contributions():
    parts = dict.fromkeys(PARTS, 0.0004) | {"base": -2.00049, "age_months": 0.33333}
    total = math.fsum(parts.values())
    made = waterfall(parts, Reasons(said_id=(), said_en=()), risk=logistic(total), risk_24m=0.5)

    assert sum(step.amount for step in made.steps) == made.log_odds == Decimal(total).quantize(PLACES)
    assert (made.steps[0].kind, made.steps[1].name_id, made.steps[-1].kind) == ("base", "Umur anak", "rest")
    assert made.log_odds + made.age_step.amount == made.log_odds_24m == 0


def test_a_reason_of_a_pregnancy_stands_beside_the_group_of_its_feature_alone(kabupaten):
    scores = kabupaten.folder / "data/scores"
    units = pd.read_parquet(scores / "units.parquet").query("unit_kind == 'pregnancy'").drop(columns="age_months")
    units = units.merge(pd.read_parquet(scores / "contributions.parquet"), on=["unit_id", "as_of"], validate="1:1")
    said_of = groups_by_words()
    names = {name: group for group, name in GROUP_NAMES.items()}
    said = 0
    for row in units.to_dict("records"):
        reasons = Reasons(said_id=tuple(row["reasons_id"].split("; ")), said_en=tuple(row["reasons_en"].split("; ")))
        parts = {name: row[name] for name in PARTS}
        made = waterfall(parts, reasons, risk=None, risk_24m=row["risk_at_24m"], unborn=True)
        for step in [step for step in made.steps if step.says_en]:
            said += 1
            assert names[step.name_id, step.name_en] in said_of[without_numbers(step.says_en)], (row["unit_id"], step)
    assert said > len(units)


def without_numbers(words):
    return re.sub(r"-?\d+([.,]\d+)*", "#", words)


def groups_by_words():
    """By the words of a reason without its numbers: the groups whose features are worded so."""
    found = {}
    for name in PARTS:
        values = [None, *range(15), 0.013, 0.5, 26, 35, 140, 149.2, 151, 2400, 2600]
        for value in values if name in BY_NAME else ():
            with contextlib.suppress(IndexError, ValueError):  # a value that the feature does not have
                words = without_numbers(reason(BY_NAME[name], value).en)
                found.setdefault(words, set()).add(GROUP_OF.get(name, name))
    return found


def test_a_reason_stands_beside_the_group_it_is_about(readers, homes, scores):
    page = unescape(readers["all"].page(path_of(homes["child"])))
    unit = scores[(scores.household_id == homes["child"])].iloc[0]
    strongest = unit.reasons_id.split("; ")[0]

    assert strongest in page
    assert unit.reasons_en.split("; ")[0] in unescape(readers["all"].page(path_of(homes["child"]), "en"))


def test_every_group_every_column_and_every_code_has_words_in_both_languages():
    sayable = {GROUP_OF.get(name, name) for name in PARTS if name != "base" and name not in UNSAID}
    columns = [
        (register, column)
        for register in REGISTERS.values()
        for column in register.columns
        if not column.name.endswith("_id") and column.name not in (*WITHHELD.get(register.name, ()), "recorded_on")
    ]

    assert sayable == set(GROUP_NAMES)
    assert all(register_name(name) for name in REGISTERS)
    for register, column in columns:
        assert is_named(column), f"{register.name}.{column.name}"
        assert all(column_name(register.name, column.name))
        assert all(all(code_name(column, code)) for code in column.codes)


def test_facts_stand_with_their_register_and_date_and_no_date_of_birth(readers, homes, kabupaten):
    page = unescape(readers["all"].page(path_of(homes["child"])))
    row = pd.read_parquet(kabupaten.folder / "data/interim/sanitation.parquet")
    row = row[row.household_id == homes["child"]].sort_values("recorded_on").iloc[-1]
    births = pd.read_parquet(kabupaten.folder / "data/interim/child.parquet")
    births = births[births.household_id == homes["child"]].birth_date.dt.strftime("%Y-%m-%d")

    assert "Air dan sanitasi (STBM)" in page
    assert code_name(REGISTERS["sanitation"].column("toilet"), row.toilet)[0] in page
    assert not any(day in page for day in births)


def test_every_fact_leads_to_a_page_that_says_the_same_of_it(readers, homes):
    near = readers["near"]
    page = near.page(path_of(homes["many"]))
    facts = page[page.index("Fakta, registernya") :]
    links = re.findall(r'<a href="([^"]+/fact\?of=[^"]+)">([^<]+)</a>', facts)
    told = {unescape(href): words for href, words in links if re.search("of=(measurement|maternal|pregnancy)", href)}

    assert {"measurement", "maternal", "sanitation", "child", "pregnancy", "household"} == {
        re.search(r"of=(\w+)\.", href)[1] for href, _ in links
    }
    days = [words for href, words in told.items() if "measured_on" in href]
    assert days
    assert all(re.fullmatch(r"\d{1,2} [A-Z][a-z]{2} \d{4}", day) for day in days)
    for href, words in list(told.items())[::4]:
        assert words == re.search(r"Menurut register</dt><dd>(.*?)</dd>", near.page(href))[1]


def test_a_mother_s_fact_is_asked_with_a_decimal_comma_and_for_her_alone(readers, homes):
    near, path = readers["near"], path_of(homes["many"])
    href = re.search(r'<a href="([^"]+of=maternal\.height_cm[^"]+)"', near.page(path))[1]
    page = near.page(unescape(href))
    low, beyond = (near.send(page, f"{path}/what-if", value=value) for value in ("141,5", "14,5"))

    assert (200, 422) == (low.status_code, beyond.status_code)
    assert 'value="141,5"' in low.text
    assert "Andai lain" in low.text


def test_unmet_services_name_who_answers_for_them(readers, homes):
    facts = readers["all"].client.get(f"/v1{path_of(homes['many'])}/facts", headers=readers["all"].said).json()
    page = unescape(readers["all"].page(path_of(homes["many"])))
    unmet = [one for one in facts["services"] if one["status"] == "unmet"]

    assert unmet
    assert all(one["name_id"] in page for one in facts["services"])
    assert ("Dinas Kesehatan" in page) is any(one["owner"] == "dinkes" for one in facts["services"])


def test_who_is_in_danger_stands_before_every_rank(readers, kabupaten):
    urgent = pd.read_parquet(kabupaten.folder / "data/scores/urgent.parquet")
    units = set(pd.read_parquet(kabupaten.folder / "data/scores/units.parquet").household_id)
    one = urgent[urgent.household_id.isin(units)].iloc[0]
    page = readers["all"].page(path_of(one.household_id))

    assert page.index("Rujuk segera") < page.index("<h2>Risiko</h2>")
    assert one.why_id in unescape(page)


def test_a_household_of_another_region_is_answered_as_one_that_is_not_there(readers, homes):
    for more in ("", "/fact?of=sanitation.toilet", "?list=" + "0" * 32):
        theirs, nobody = (readers["near"].get(path_of(home) + more) for home in (homes["far"], "tidak-ada"))
        assert [404, 404] == [theirs.status_code, nobody.status_code]
        assert homes["far"] not in theirs.text.replace(quote(path_of(homes["far"]), safe=""), "").replace(
            path_of(homes["far"]), ""
        )


def test_every_look_stands_in_the_trail_and_is_shown_to_who_may_read_it(readers, homes):
    home = homes["pregnancy"]
    readers["near"].page(path_of(home))
    for name, may in (("near", False), ("auditor", True), ("dpo", True)):
        page = readers[name].page(path_of(home))
        assert may is ("Siapa yang melihat" in page)
        assert may is ("· near ·" in page)


def test_a_page_is_small_whole_in_both_languages_and_needs_no_other_host(readers, homes):
    for language, words in (("id", "Mengapa"), ("en", "Why")):
        page = readers["near"].page(path_of(homes["many"]), language)
        assert words in page
        assert 60_000 > len(page.encode())
        assert not re.search(r"https?://(?!www\.w3\.org)|style=|<style|<script>| on[a-z]+=", page)
    assert "Mengapa" not in page


def made_list(reader, name, **more):
    said = reader.client.get("/v1/session", headers=reader.said).json()["csrf_token"]
    headers = reader.said | {"X-CSRF-Token": said, "Accept": "application/json"}
    made = reader.client.post("/v1/worklists", json={"name": name, "capacity": 10_000} | more, headers=headers)
    assert made.status_code == 201, made.text
    return made.json()["id"]


@pytest.fixture(scope="module")
def listed(readers):
    return made_list(readers["all"], "Triwulan 1")


def test_a_decision_is_kept_once_and_stands_on_the_page(readers, homes, listed):
    near, path = readers["near"], path_of(homes["child"])
    page = near.page(f"{path}?list={listed}")
    fields = {"kind": "override", "reason": "Sudah pindah ke desa lain", "decided_by": "Puskesmas Contoh"}
    answers = [near.send(page, f"{path}/decide", **fields) for _ in range(2)]

    assert [303, 303] == [one.status_code for one in answers]
    after = near.page(answers[0].headers["location"].partition("#")[0])
    assert 1 == after.count("Sudah pindah ke desa lain")
    assert "diganti dengan putusan petugas" in after
    assert f'<a href="/lists/{listed}">Daftar Triwulan 1</a> · <strong>diganti' in after


def test_the_list_that_led_to_a_household_is_that_of_its_facts_and_of_the_way_back(readers, homes, listed):
    near, path = readers["near"], path_of(homes["many"])
    newer = made_list(readers["all"], "Triwulan 2")
    page = near.page(f"{path}?list={listed}")
    fact = near.page(unescape(re.search(r'<a href="([^"]+of=sanitation\.toilet[^"]*)"', page)[1]))
    asked = near.send(fact, f"{path}/what-if", value="none").text
    refused = near.send(fact, f"{path}/correct", value="", why="x").text
    kept = near.send(fact, f"{path}/correct", value="hanging", why="Dilihat dari jalan")

    assert newer in near.page(path)
    for shown in (fact, asked, refused):
        assert f'<a href="{path}?list={listed}">Kembali ke keluarga' in shown
    assert f"{path}?list={listed}#corrections" == kept.headers["location"]
    for shown in (page, near.page(f"{path}?list={listed}")):
        assert "Tentang daftar Triwulan 1" in shown


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"decided_by": "kader"}, "Pilih salah satu putusan."),
        ({"kind": "object", "decided_by": "kader"}, "Isi alasannya"),
        ({"kind": "defer", "reason": "hujan", "decided_by": "kader"}, "Isi sampai hari apa"),
        ({"kind": "accept", "until": "2030-01-01", "decided_by": "kader"}, "Kosongkan harinya"),
        ({"kind": "accept", "decided_by": ""}, "Isi siapa yang memutuskan."),
        ({"kind": "override", "reason": "NIK 3201010101010001", "decided_by": "kader"}, "Hapus deretan 16 angka"),
        ({"kind": "accept", "decided_by": "kader 3201 0101 0101 0001"}, "Hapus deretan 16 angka"),
        ({"kind": "accept", "decided_by": "k" * 101}, "paling banyak 100 huruf"),
        ({"kind": "defer", "reason": "hujan", "until": "2024-03-01", "decided_by": "kader"}, "1 Mar 2024, sudah lewat"),
        ({"kind": "defer", "reason": "hujan", "until": "lusa", "decided_by": "kader"}, "Hari penundaan tidak terbaca"),
    ],
)
def test_a_decision_that_lacks_something_comes_back_with_what_was_typed(readers, homes, listed, fields, said):
    path = path_of(homes["child"])
    answer = readers["near"].send(readers["near"].page(f"{path}?list={listed}"), f"{path}/decide", **fields)

    assert 422 == answer.status_code
    assert said in re.search(r'role="alert"[^>]*>(.*?)</p>', answer.text)[1]
    assert fields.get("reason", "") in answer.text


def test_a_refusal_is_said_in_the_language_of_its_page(readers, homes, listed):
    near, path = readers["near"], path_of(homes["many"])
    page, height = near.page(f"{path}?list={listed}"), near.page(fact_link(near, homes["many"], "maternal.height_cm"))
    asked = {
        "decide": (
            page,
            {"kind": "defer", "reason": "rain", "until": "2024-03-01", "decided_by": "x"},
            "is over. Choose",
        ),
        "what-if": (height, {"value": "tall"}, "not a number. Fill in a number from 120 to 200 cm."),
        "correct": (height, {"value": "tall", "why": "x"}, "not a number. Fill in a number from 120 to 200 cm."),
    }
    for action, (shown, fields, words) in asked.items():
        told = re.search(r'role="alert"[^>]*>(.*?)</p>', near.send(shown, f"{path}/{action}", "en", **fields).text)[1]
        assert words in told


def fact_link(reader, home, of):
    """Where a household's page leads to for a fact."""
    return unescape(re.search(rf'<a href="([^"]+of={re.escape(of)}[^"]*)"', reader.page(path_of(home)))[1])


@pytest.mark.parametrize("language", ["id", "en"])
def test_a_number_may_be_typed_as_the_page_shows_it(readers, homes, scores, language):
    near, link = readers["near"], re.compile(r'<a href="([^"]+of=pregnancy\.birth_weight_g[^"]*)">[\d.]+ g</a>')
    born = scores[scores.region_id == scores[scores.household_id == homes["child"]].region_id.iloc[0]]
    home, found = next(
        (one, found) for one in born.household_id.unique() if (found := link.search(near.page(path_of(one))))
    )
    page = near.page(unescape(found[1]), language)
    shown = re.search(r"</dt><dd>([\d.,]+ g)</dd>", page)[1]
    asked = near.send(page, f"{path_of(home)}/what-if", language, value=shown)

    assert re.fullmatch(r"\d[.,]\d{3} g", shown)
    assert 200 == asked.status_code, asked.text
    assert 1 == asked.text.count('id="answer"')
    assert 422 == near.send(page, f"{path_of(home)}/what-if", language, value="30.000.0 g").status_code


def test_a_form_without_the_token_of_the_session_changes_nothing(readers, homes, listed):
    path = path_of(homes["child"])
    page = readers["near"].page(f"{path}?list={listed}")
    fields = {"csrf_token": "lain", "kind": "accept", "decided_by": "penyusup"}

    answer = readers["near"].send(page, f"{path}/decide", **fields)
    assert 403 == answer.status_code
    assert f'href="{path}?list={listed}">Buka lagi halamannya' in answer.text
    assert "Peran Anda" not in answer.text
    assert "penyusup" not in readers["near"].page(path)


def seen_whole(page, what):
    """Whether something stands in the window, from its head on, and has the focus."""
    box, height = page.locator(what).bounding_box(), page.viewport_size["height"]
    here = page.evaluate("what => document.activeElement === document.querySelector(what)", what)
    return here and 0 <= box["y"] < height - min(box["height"], 60)


@pytest.mark.parametrize("size", [LAPTOP, PHONE])
def test_what_became_of_a_form_is_what_the_browser_shows_first(browser, readers, homes, listed, size):
    seen = Watched(browser, str(readers["near"].client.base_url).rstrip("/"), size=size)
    seen.sign_in("near", OWN)
    page, path = seen.page, path_of(homes["many"])
    seen.open(f"{path}?list={listed}")
    page.check("#kind-override")
    seen.follow(page.get_by_role("button", name="Simpan putusan"))
    assert seen_whole(page, ".wrong[role=alert]")
    assert (0, True) == (seen.sideways(), page.is_checked("#kind-override"))

    seen.open(path)
    href = page.locator('a[href*="of=maternal.height_cm"]').first.get_attribute("href")
    for value, what in (("tinggi", ".wrong[role=alert]"), ("141,5", "table#answer")):
        seen.open(href)
        page.fill("#value", value)
        seen.follow(page.get_by_role("button", name="Tanya model"))
        assert seen_whole(page, what)
    page.fill("#why", "diukur")
    seen.follow(page.get_by_role("button", name="Kirim permintaan"))
    assert seen_whole(page, ".wrong[role=alert]")
    # A browser notes every answer of 4xx; these are the three refusals.
    assert [True] * 3 == ["422" in fault for fault in seen.faults]
    seen.close()


@pytest.mark.parametrize("language", ["id", "en"])
def test_a_decision_without_a_session_leads_to_the_form_to_sign_in_and_back_to_its_household(
    readers, homes, listed, language
):
    path, cookies = path_of(homes["child"]), {"Cookie": f"tepat_language={language}"}
    for action, came_from in (("decide", f"{path}?list={listed}"), ("decide", f"{path}/decide"),
                              ("correct", f"{path}/fact?of=sanitation.toilet&list={listed}")):  # fmt: skip
        answer = readers["near"].client.post(
            f"{path}/{action}", data={"kind": "accept", "list": listed},
            headers=HTML | cookies | {"Referer": f"http://here{came_from}"},
        )  # fmt: skip
        assert 401 == answer.status_code
        to_sign_in = f"/sign-in?next={quote(f'{path}?list={listed}', safe='')}"
        assert re.search(rf'<a class="button" href="{re.escape(to_sign_in)}">(Masuk|Sign in)</a>', answer.text)
        assert "Bearer" not in answer.text
        assert 1 == len(re.findall("<p>", answer.text.partition("</main>")[0]))


@pytest.mark.parametrize("language", ["id", "en"])
def test_a_refusal_tells_a_reader_nothing_that_is_meant_for_programs(readers, homes, language):
    token = readers["auditor"].said["Cookie"]
    said = HTML | {"Cookie": f"{token}; tepat_language={language}"}
    csrf = readers["auditor"].client.get("/v1/session", headers={"Cookie": token}).json()["csrf_token"]
    path = path_of(homes["child"])
    refused = readers["auditor"].client.post(f"{path}/decide", data={"csrf_token": csrf}, headers=said)
    nowhere = readers["auditor"].client.get("/households/nobody", headers=said)

    assert (403, 404) == (refused.status_code, nowhere.status_code)
    for answer in (refused, nowhere):
        main = re.search("<main.*</main>", answer.text, re.DOTALL)[0]
        assert not re.search("roles|identifier|`|lang=", main)


@pytest.fixture(scope="module")
def fact(homes):
    """The page of a fact."""
    return f"{path_of(homes['child'])}/fact?of=sanitation.toilet"


def test_a_fact_made_another_is_asked_of_the_model_as_association_and_kept_nowhere(readers, homes, fact):
    near = readers["near"]
    path, page = path_of(homes["child"]), near.page(fact)
    before = near.page(path)
    answer = near.send(page, f"{path}/what-if", value="none")
    shares = re.findall(r'data-th="(Seperti tercatat|Andai lain)">([\d,]+%)', answer.text)

    assert 200 == answer.status_code
    assert "hubungan, bukan pengaruh" in page.replace("Ini ", "")
    assert shares
    risk = re.search(r"stunting sekarang</dt><dd><strong>([^<]+)<", before)[1]
    assert ("Seperti tercatat", risk) == shares[0]
    rows = re.findall(r'<th scope="row"[^>]*>(.*?)</th>', answer.text)
    assert "Seluruh keluarga" == rows[0]
    assert all(re.fullmatch(r"(Anak, umur [\d,]+ bulan|Kehamilan) <small>\([^<]+\)</small>", row) for row in rows[2:])
    assert 2 < len(rows)
    assert "Koreksi yang diminta" not in near.page(path)


def test_a_value_that_the_register_could_not_hold_is_not_asked(readers, homes, fact):
    near, path = readers["near"], path_of(homes["child"])
    answer = near.send(near.page(fact), f"{path}/what-if", value="istana")

    assert 422 == answer.status_code
    assert "Nilai ini tidak dapat dicoba." in answer.text


def test_a_correction_is_kept_once_and_leaves_the_register_as_it_is(readers, homes, fact, kabupaten):
    near, path = readers["near"], path_of(homes["child"])
    register = (kabupaten.folder / "data/interim/sanitation.parquet").read_bytes()
    page = near.page(fact)
    fields = {"value": "pit_open", "why": "Dilihat sendiri saat kunjungan"}
    answers = [near.send(page, f"{path}/correct", **fields) for _ in range(2)]

    assert [303, 303] == [one.status_code for one in answers]
    after = unescape(near.page(path))
    assert 1 == after.count("Dilihat sendiri saat kunjungan")
    assert re.search(r"Air dan sanitasi \(STBM\) · Jamban: [^:]+ → cubluk tanpa lantai \(cemplung\) · near<", after)
    assert f"→ {REGISTERS['sanitation'].column('toilet').codes['pit_open']} ·" in unescape(near.page(path, "en"))
    assert register == (kabupaten.folder / "data/interim/sanitation.parquet").read_bytes()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"value": "", "why": "x"}, "Isi nilai yang benar"),
        ({"value": "pit_slab", "unknown": "1", "why": "x"}, "jangan keduanya"),
        ({"value": "istana", "why": "x"}, "Jamban: kode tidak dikenal. Pilih salah satu"),
        ({"value": "flush_sewer", "why": " "}, "Isi dari mana Anda tahu."),
        ({"value": "flush_sewer", "why": "NIK 3201010101010001"}, "Hapus deretan 16 angka"),
    ],
)
def test_a_correction_that_lacks_something_is_not_kept(readers, homes, fact, fields, said):
    near, path = readers["near"], path_of(homes["child"])
    answer = near.send(near.page(fact), f"{path}/correct", **fields)

    assert 422 == answer.status_code
    assert said in answer.text


def test_a_correction_is_told_in_the_words_of_its_fact_and_as_written_where_no_contract_knows_it():
    told = {
        "household_id": "h", "region_id": None, "area_id": None, "recorded_on": None, "person_id": None, "why": "x",
        "id": "1", "account": "near", "made_at": None,
    }  # fmt: skip
    known, gone, height, moved, code = (
        asked_for(Correction(register=register, fact=fact, old=old, new=new, **told))
        for register, fact, old, new in (
            ("household", "has_tv", "0", None),
            ("livestock", "goats", "two", "three"),
            ("maternal", "height_cm", "157.3", "150.5"),
            ("measurement", "measured_on", "2024-03-01", "2024-03-11"),
            ("sanitation", "toilet", "throne", "pit_open"),
        )
    )
    macro, said = TEMPLATES.get_template("household_words.html").module.value, spoken("id", zone="Asia/Jakarta")

    assert ("tidak", "tidak diketahui") == (macro(known.old, said), macro(known.new, said))
    assert ("livestock", "goats", "two") == (gone.register_name[0], gone.new.name[0], macro(gone.old, said))
    assert ("157,3 cm", "150,5 cm") == (macro(height.old, said), macro(height.new, said))
    assert ("1 Mar 2024", "11 Mar 2024") == (macro(moved.old, said), macro(moved.new, said))
    assert ("throne", "cubluk tanpa lantai (cemplung)") == (macro(code.old, said), macro(code.new, said))


def test_a_number_written_in_another_way_corrects_nothing(readers, homes):
    near, path = readers["near"], path_of(homes["many"])
    page = near.page(unescape(re.search(r'<a href="([^"]+of=maternal\.height_cm[^"]+)"', near.page(path))[1]))
    same = re.search(r"Menurut register</dt><dd>([\d,]+)", page)[1]
    answer = near.send(page, f"{path}/correct", value=f"{same}0", why="diukur")

    assert "," in same
    assert 422 == answer.status_code
    assert "sama dengan yang tercatat" in answer.text


def test_a_mother_who_was_recorded_elsewhere_brings_no_pregnancy_of_hers():
    on = pd.Timestamp("2024-01-01")
    here = {"mother_id": ["m1"], "household_id": ["home-1"], "recorded_on": [on]}
    there = {"mother_id": ["m2"], "household_id": ["home-2"], "recorded_on": [on], "height_cm": [150.0]}
    registers = dict.fromkeys(SCORED_FROM, pd.DataFrame()) | {
        "child": pd.DataFrame({"child_id": ["c1", "c2"], "mother_id": ["m1", "m2"], "household_id": "home-1"}),
        "maternal": pd.concat([pd.DataFrame(here), pd.DataFrame(there)]).assign(
            pregnant=pd.array([True, True], "boolean")
        ),
    }
    places = {name: [] for name in SCORED_FROM} | {"child": [0, 1], "maternal": [0]}
    scores = SimpleNamespace(
        rows=SimpleNamespace(places=lambda _: places), plan_inputs=SimpleNamespace(registers=registers)
    )

    assert [
        {"mother_id": "m1", "recorded_on": "2024-01-01", "pregnant": True},
        {"mother_id": "m2", "recorded_on": "2024-01-01", "height_cm": 150.0},
    ] == known_facts(scores, "home-1")["households"][0]["registers"]["maternal"]


def test_a_unit_that_is_not_published_of_the_household_counts_in_no_answer():
    units = [{"unit_id": name, "now": {"risk": risk}, "at_24m": None} for name, risk in (("c1", 0.2), ("p2", 0.5))]
    made = json.dumps({"units": units, "risk_find": 0.6, "risk_prevent": None}).encode()

    more = json.dumps({"units": [*units, units[0] | {"unit_id": "p3"}], "risk_find": 0.68, "risk_prevent": None})

    both, _ = answers([made, made], {"c1", "p2"})
    one, then = answers([made, more.encode()], {"c1"})
    assert (["c1", "p3"], pytest.approx(0.36)) == ([unit["unit_id"] for unit in then["units"]], then["risk_find"])
    assert (0.6, 2) == (both["risk_find"], len(both["units"]))
    assert (pytest.approx(0.2), None, ["c1"]) == (
        one["risk_find"], one["risk_prevent"], [unit["unit_id"] for unit in one["units"]],
    )  # fmt: skip


def test_who_may_not_correct_or_decide_is_shown_no_form_and_refused(readers, homes, fact):
    auditor, path = readers["auditor"], path_of(homes["child"])
    page = auditor.page(path)
    token = auditor.client.get("/v1/session", headers=auditor.said).json()["csrf_token"]

    assert "/decide" not in page
    assert "/correct" not in auditor.page(fact)
    for action in ("decide", "correct"):
        answer = auditor.client.post(f"{path}/{action}", data={"csrf_token": token}, headers=auditor.said)
        assert 403 == answer.status_code


def test_scores_of_when_a_household_lay_in_another_region_are_shown_to_nobody_of_this_one(readers, homes, url):
    home, near, everywhere = homes["child"], readers["near"], readers["all"]
    until = time.monotonic() + 60
    while 'data-run="' not in near.page(path_of(home)) and time.monotonic() < until:
        time.sleep(0.2)
    elsewhere = HOMES.head(1).assign(household_id=home, region_id="R9", area_id="R9.1")
    opened = open_store(url)
    keep(ScoreStore(opened.database), run("elsewhere", homes=elsewhere, model="determinants-of-another"))
    opened.close()

    part, whole = (re.findall(r'<tr data-run="(\w+)">', one.page(path_of(home))) for one in (near, everywhere))
    assert [stamp_of("elsewhere"), *part] == whole
    assert 1 == len(part)
    text = near.page(path_of(home))
    assert ("Yang tampak hanya skor" in text, "of-another" in text, "model diganti" in text) == (True, False, False)
    assert "model diganti" in everywhere.page(path_of(home))
    older = f"{path_of(home)}?scores={stamp_of('elsewhere')}"
    assert [404, 200] == [one.get(older).status_code for one in (near, everywhere)]
    theirs, nobody = (near.get(f"/v1{path_of(one)}/scores") for one in (homes["far"], "nobody"))
    assert [404, 404] == [theirs.status_code, nobody.status_code]
    assert theirs.json()["detail"] == nobody.json()["detail"]
