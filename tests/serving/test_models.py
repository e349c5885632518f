"""The versions of the model and its card, also while the registry is away."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
import threading
from html.parser import HTMLParser

import pytest

from serving import cards
from serving.cards import Asking, Card, card, preferred, read
from training.registry import Registered, RegistryRefused

WHERE = Registered("determinants", "3", "run", "0123456789abcdef")
CARD = Card("# Model card\n", "<style>p{}</style><p>figures</p>", {"n": 3, "models": {}}, {"simulated": True})
MAKE = """
import json, pathlib
from features.settings import load
from training import card, records, registry
model, where = registry.fetch("determinants")
metrics = {"protocol": "temporal", "n": 12, "models": {"determinants": {"auc": 0.7}}, "champion": "determinants"}
details, folder = {"simulated": True}, pathlib.Path("reports")
files = {
    "card.md": card.text(model, where, metrics, details),
    "card.html": card.page(model, where, metrics, details, plots=folder / "plots"),
    "metrics.json": json.dumps(metrics), "details.json": json.dumps(details),
}
with records.judging(where, rows="of-a-test", settings=load()):
    for name, text in files.items():
        (folder / name).write_text(text)
        registry.attach(folder / name, under="evaluation")
"""


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "json"), ("*/*", "json"), ("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "html"),
        ("text/markdown", "markdown"), ("application/json;q=0.4, text/markdown;q=0.9", "markdown"),
        ("text/html;q=0", "json"), ("text/html;q=nonsense", "json"), ("image/png", "json"), (";;,,q=1", "json"),
    ],
)  # fmt: skip
def test_the_form_is_the_one_that_accept_likes_best(accept, form):
    assert form == preferred(accept)


def test_a_page_may_show_its_own_style_and_nothing_else():
    digest = base64.b64encode(hashlib.sha256(b"p{}").digest()).decode()

    assert f"style-src 'sha256-{digest}';" in CARD.policy
    assert "default-src 'none'" in CARD.policy
    assert "script-src" not in CARD.policy


def test_a_card_is_kept_for_days_on_which_the_registry_is_away(tmp_path, monkeypatch):
    def away(_):
        raise RegistryRefused("The registry is away.")

    monkeypatch.setattr(cards, "_fetched", away)
    with pytest.raises(RegistryRefused, match="away"):
        card(WHERE, kept=tmp_path / "cards")
    monkeypatch.setattr(cards, "_fetched", lambda _: CARD)
    fresh = card(WHERE, kept=tmp_path / "cards")
    monkeypatch.setattr(cards, "_fetched", away)
    copied = card(WHERE, kept=tmp_path / "cards")

    assert (CARD, None) == (fresh, fresh.stale_because)
    assert (CARD.html, CARD.metrics, "The registry is away.") == (copied.html, copied.metrics, copied.stale_because)


def test_a_card_of_which_a_file_is_missing_or_damaged_is_none(tmp_path):
    for name in cards.FILES:
        (tmp_path / name).write_text("{}")
    assert read(tmp_path) is not None
    (tmp_path / "metrics.json").write_text("{half")
    assert read(tmp_path) is None
    (tmp_path / "metrics.json").unlink()
    assert read(tmp_path) is None


def test_a_registry_that_does_not_answer_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(cards, "PATIENCE_S", 0.05)
    silence, asked, asking = threading.Event(), [], Asking()

    def question():
        asked.append(1)
        silence.wait(30)
        return "answered"

    for _ in range(3):  # who asks meanwhile waits for the same answer, and starts no thread
        with pytest.raises(RegistryRefused, match="has not answered"):
            asking.ask("one", question)
    silence.set()
    monkeypatch.setattr(cards, "PATIENCE_S", 30)
    assert "answered" == asking.ask("one", question)
    assert len(asked) <= 2


class Asked(HTMLParser):
    """Every address that a page asks for, and every script in it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.found += [value or "" for name, value in attrs if name in ("src", "href")]
        self.found += [f"<{tag}>" for _ in [tag] if tag == "script"]
        self.found += [f"{name}=" for name, _ in attrs if name == "style" or name.startswith("on")]


class TestOverHttp:
    pytestmark = pytest.mark.xdist_group("serving-2")

    def test_the_versions_say_which_is_in_use(self, server):
        server.wait_for(lambda: server.client.get("/readyz").status_code == 200)
        told = server.client.get("/v1/models").json()
        in_use = server.client.get("/v1/model").json()

        assert told["stale_because"] is None
        [one] = [version for version in told["versions"] if version["in_use"]]
        assert (in_use["stamp"], in_use["version"], True) == (
            one["stamp"],
            one["version"],
            "champion" in one["aliases"],
        )
        assert 1 == sum(version["last"] for version in told["versions"])

    def test_a_model_has_no_card_until_it_is_evaluated_and_then_in_three_forms(self, server, kabupaten):
        server.wait_for(lambda: server.client.get("/readyz").status_code == 200)
        before = server.client.get("/v1/model/card")
        kabupaten.run(sys.executable, "-c", MAKE)
        told = server.client.get("/v1/model/card")
        page = server.client.get("/v1/model/card", headers={"Accept": "text/html"})
        text = server.client.get("/v1/model/card", params={"format": "markdown"})

        assert 404 == before.status_code
        assert "No card of determinants-" in before.json()["detail"]
        assert (True, 0.7) == (told.json()["simulated"], told.json()["metrics"]["models"]["determinants"]["auc"])
        assert page.headers["content-type"].startswith("text/html")
        assert text.headers["content-type"].startswith("text/markdown")
        assert told.json()["model"]["stamp"] in text.text
        assert "Simulated data" in page.text
        self._page_needs_what_its_policy_allows(page)
        assert 422 == server.client.get("/v1/model/card", params={"format": "pdf"}).status_code
        assert [] == [f for f in cards.FILES if not list((kabupaten.folder / "data/serving/cards").glob(f"*/{f}"))]

    def _page_needs_what_its_policy_allows(self, page):
        [policy] = page.headers.get_list("content-security-policy")
        styles = re.findall(r"<style>(.*?)</style>", page.text, re.DOTALL)
        asked = Asked()
        asked.feed(page.text)

        assert styles
        for style in styles:
            assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in policy
        assert [] == [address for address in asked.found if not address.startswith(("#", "data:"))]
