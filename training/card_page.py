"""The model card as one HTML file that asks for nothing else, and as Markdown: two renderings of the same parts."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from training.card_parts import Alert, Picture, Points, Table, runs
from training.tables import table

if TYPE_CHECKING:
    from training.card_parts import Block, Card, Section

LARGEST = 2_900_000
"""What the pictures of a page may weigh together, so that an old laptop opens it. [bytes, in base64]"""
TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def html(card: Card, *, plots: Path) -> str:
    """The page, with the pictures that `plots` holds inside it; one that is missing is left out."""
    pictures = _embedded(card, plots)
    sections = [replace(section, blocks=_shown(section, pictures)) for section in card.sections]
    page = TEMPLATES.get_template("card.html")
    return page.render(card=card, sections=sections, pictures=pictures, marked=marked)


def marked(text: str) -> Markup:
    """The text, escaped, with what stands between backticks as code.

    Examples
    --------
    >>> marked("`haz` < -2")
    Markup('<code>haz</code> &lt; -2')
    """
    code = Markup("<code>{}</code>")
    return Markup("").join(code.format(piece) if is_code else escape(piece) for piece, is_code in runs(text))


def _embedded(card: Card, plots: Path) -> dict[str, str]:
    """A data address by the name of the file, in the order of the card, as many as the page may carry."""
    made: dict[str, str] = {}
    for block in (block for section in card.sections for block in section.blocks):
        if isinstance(block, Picture) and (plots / block.file).is_file():
            address = "data:image/png;base64," + base64.b64encode((plots / block.file).read_bytes()).decode("ascii")
            if sum(map(len, made.values())) + len(address) <= LARGEST:
                made[block.file] = address
    return made


def _shown(section: Section, pictures: dict[str, str]) -> tuple[Block, ...]:
    return tuple(b for b in section.blocks if not isinstance(b, Picture) or b.file in pictures)


def markdown(card: Card) -> str:
    """The card in Markdown, without its pictures."""
    lines = [f"# {_inline(card.title)}", *map(_block, card.lead)]
    for section in card.sections:
        lines += [f"## {_inline(section.title)}", *map(_block, section.blocks)]
    return "\n\n".join(line for line in lines if line) + "\n"


def _block(block: Block) -> str:
    if isinstance(block, str):
        return _line(block)
    if isinstance(block, Points):
        return "\n".join(f"- {_line(line)}" for line in block.lines)
    if isinstance(block, Alert):
        return "\n>\n".join(f"> {line}" for line in (f"**{_inline(block.title)}**", *map(_line, block.lines)))
    return _table(block) if isinstance(block, Table) else ""


def _table(block: Table) -> str:
    cells = [[_inline(cell).replace("|", r"\|") for cell in row] for row in (block.head, *block.rows)]
    return f"{_line(block.caption)}\n\n{table(cells[0], cells[1:]).rstrip()}"


def _line(text: str) -> str:
    """A line that is prose, whatever it begins with."""
    return re.sub(r"^([#+-]|\d+[.)](?=\s))", r"\\\1", _inline(text))


def _inline(text: str) -> str:
    """Names from registers stay letters: no tag, link or emphasis comes of them."""
    return "".join(f"`{piece}`" if is_code else _letters(piece) for piece, is_code in runs(text))


def _letters(text: str) -> str:
    return re.sub(r"([\\`*\[\]])", r"\\\1", text).replace("<", "&lt;").replace(">", "&gt;")
