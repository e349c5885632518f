"""The versions of the model, and the card of the one in use: asked of the registry, else of what was kept."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import re
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from features.folders import write_text, write_whole
from training import records, registry
from training.registry import RegistryRefused
from training.succession import SET_ASIDE

if TYPE_CHECKING:
    from collections.abc import Callable

    from training.registry import Registered

Format = Literal["json", "html", "markdown"]
Alias = Literal["champion", "challenger"]
ALIASES: tuple[Alias, ...] = ("champion", "challenger")
FILES = ("card.md", "card.html", "metrics.json", "details.json")
PATIENCE_S = 5.0
"""A registry elsewhere that is away may take minutes to say so."""
STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
MEDIA: dict[str, Format] = {"application/json": "json", "text/html": "html", "text/markdown": "markdown"}
Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True)
class Version:
    """A version of the model; `registered_at` is None when the registry was not asked.

    `set_aside` is why somebody took it back; None when nobody did.
    """

    where: Registered
    aliases: tuple[Alias, ...]
    last: bool
    registered_at: dt.datetime | None
    set_aside: str | None = None


@dataclass(frozen=True)
class Card:
    """A model's card in each form; `stale_because` is why it is a copy, None when the registry gave it."""

    markdown: str
    html: str
    metrics: dict[str, Any]
    details: dict[str, Any]
    stale_because: str | None = None

    @property
    def policy(self) -> str:
        """What a browser may do with the page: show its own style and pictures, and nothing else."""
        digests = [hashlib.sha256(style.encode()).digest() for style in STYLE.findall(self.html)]
        styles = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests) or "'none'"
        return (
            f"default-src 'none'; style-src {styles}; img-src data:; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'; sandbox"
        )


class Asking(Generic[Found]):
    """Asks the registry in one thread at a time, and waits for it no longer than `PATIENCE_S`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: dict[str, Future[Found]] = {}

    def ask(self, key: str, question: Callable[[], Found]) -> Found:
        """The answer; others who ask the same meanwhile share it.

        Raises
        ------
        RegistryRefused
            It refuses, or does not answer in time.
        """
        with self._lock:
            asked = self._asked.get(key)
            if asked is None or asked.done():
                asked = self._asked[key] = Future()
                threading.Thread(target=_answer, args=(asked, question), name="registry", daemon=True).start()
        try:
            return asked.result(timeout=PATIENCE_S)
        except TimeoutError as fault:
            raise RegistryRefused(f"The registry has not answered for {PATIENCE_S:g} s.") from fault


def _answer(asked: Future[Found], question: Callable[[], Found]) -> None:
    try:
        asked.set_result(question())
    except BaseException as fault:  # noqa: BLE001 (whoever waits gets it)
        asked.set_exception(fault)


_versions: Asking[tuple[Version, ...]] = Asking()
_cards: Asking[Card | None] = Asking()


def versions(name: str) -> tuple[Version, ...]:
    """Every version of a model in the registry, the newest first; raises as `Asking.ask`."""
    return _versions.ask(name, lambda: _listed(name))


def _listed(name: str) -> tuple[Version, ...]:
    found, aliases = registry.versions(name)
    found = sorted(found, key=lambda one: -int(one.version))
    return tuple(
        Version(
            where=registry.Registered(name, str(one.version), str(one.run_id), str(one.tags.get("digest", ""))),
            aliases=tuple(alias for alias in ALIASES if str(aliases.get(alias)) == str(one.version)),
            last=place == 0,
            registered_at=dt.datetime.fromtimestamp(one.creation_timestamp / 1000, tz=dt.UTC),
            set_aside=one.tags.get(SET_ASIDE),
        )
        for place, one in enumerate(found)
    )


def card(where: Registered, *, kept: Path) -> Card | None:
    """The card of a version: from the registry, else as it was kept when it was asked for last; None if none was made.

    Parameters
    ----------
    kept
        Folder of the cards that were asked for, by stamp.

    Raises
    ------
    RegistryRefused
        The registry does not answer, and there is no copy.
    """
    copy = kept / where.stamp
    try:
        found = _cards.ask(where.stamp, lambda: _fetched(where))
    except RegistryRefused as refusal:
        if (there := read(copy, stale_because=str(refusal))) is None:
            raise
        return there
    if found is not None and found != read(copy):
        _keep(found, copy)
    return found


def _fetched(where: Registered) -> Card | None:
    folder = records.card_of(where)
    return None if folder is None else read(folder)


def read(folder: Path, *, stale_because: str | None = None) -> Card | None:
    """A card from its files; None when they are not all there, or one of them is damaged."""
    try:
        markdown, html, metrics, details = ((folder / name).read_text(encoding="utf-8") for name in FILES)
        return Card(markdown, html, json.loads(metrics), json.loads(details), stale_because)
    except (OSError, ValueError):
        return None


def _keep(made: Card, folder: Path) -> None:
    told = (made.markdown, made.html, json.dumps(made.metrics), json.dumps(made.details))

    def write(into: Path) -> None:
        for name, text in zip(FILES, told, strict=True):
            write_text(into / name, text)

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        write_whole(folder, write)
    except OSError:
        return  # that it cannot be kept is no reason not to show it


def preferred(accept: str) -> Format:
    """The form that an Accept header likes best; JSON when it likes none better.

    Examples
    --------
    >>> preferred("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"), preferred("*/*"), preferred("text/markdown;q=0.5")
    ('html', 'json', 'markdown')
    """
    liked: dict[str, float] = {}
    for part in accept.split(","):
        kind, *more = (word.strip() for word in part.split(";"))
        liked[kind.lower()] = next((_quality(word) for word in more if word.startswith("q=")), 1.0)
    best = max(MEDIA, key=lambda kind: liked.get(kind, 0.0))
    return MEDIA[best] if liked.get(best, 0.0) > 0 else "json"


def _quality(word: str) -> float:
    return float(word[2:]) if re.fullmatch(r"q=[01](\.[0-9]{0,3})?", word) else 0.0
