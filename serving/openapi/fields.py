"""Of every field: what it means, and an example; taken from where they are said already."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from serving.openapi.operations import fitting, operations
from serving.openapi.words import WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

REF = "#/components/schemas/"
SECTION = re.compile(r"\n\s*Parameters\n\s*-+\n(.*?)(?=\n\s*\w+\n\s*-+\n|\Z)", re.DOTALL)
NAMED = re.compile(r"^(\w[\w, ]*)\n((?:[ \t]+.*\n?)+)", re.MULTILINE)


def explain(document: dict[str, Any]) -> None:
    """Give every field the words of its class, and the value that it has in an example of the document."""
    shapes = document["components"]["schemas"]
    _in_words(shapes, own=True)
    for shape in shapes.values():
        _from_docstring(shape)
    for schema, example in _shown(document):
        _walk(schema, example, shapes)
    _in_words(shapes, own=False)


def _in_words(shapes: dict[str, Any], *, own: bool) -> None:
    """Words for what is still unsaid: of this shape's `own` field, or of the name wherever it stands."""
    for title, shape in shapes.items():
        for name, field in shape.get("properties", {}).items():
            description, example = WORDS.get(f"{title}.{name}" if own else name, (None, None))
            if description is not None:
                field.setdefault("description", description)
            if example not in (None, [], {}) and not _has_fields(field):
                field.setdefault("examples", [fitting(field, example)])


def _from_docstring(shape: dict[str, Any]) -> None:
    """Move what the class says of its parameters to its fields."""
    said = shape.get("description", "")
    found = SECTION.search(said)
    if found is None:
        return
    for names, words in NAMED.findall(found.group(1) + "\n"):
        for name in names.split(", "):
            if name in shape.get("properties", {}):
                shape["properties"][name].setdefault("description", " ".join(words.split()))
    shape["description"] = said[: found.start()].strip()


def _shown(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Any]]:
    """Every schema of a body with each of its examples."""
    for _, _, operation in operations(document):
        for body in (operation.get("requestBody", {}), *operation["responses"].values()):
            for content in body.get("content", {}).values():
                for example in _examples(content):
                    yield content.get("schema", {}), example


def _examples(content: dict[str, Any]) -> list[Any]:
    alone = [content["example"]] if "example" in content else []
    return [*alone, *(one["value"] for one in content.get("examples", {}).values())]


def _walk(schema: dict[str, Any], example: Any, shapes: dict[str, Any]) -> None:
    if "$ref" in schema:
        _walk(shapes[schema["$ref"].removeprefix(REF)], example, shapes)
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        if _fits(choice, example, shapes):
            _walk(choice, example, shapes)
    if isinstance(example, list) and isinstance(schema.get("items"), dict):
        for one in example:
            _walk(schema["items"], one, shapes)
    if isinstance(example, dict):
        for name, field in schema.get("properties", {}).items():
            if example.get(name) is not None:
                _walk(field, example[name], shapes)
                if not isinstance(example[name], dict | list) or not _has_fields(field):
                    field.setdefault("examples", [example[name]])


def _fits(choice: dict[str, Any], example: Any, shapes: dict[str, Any]) -> bool:
    shape = shapes[choice["$ref"].removeprefix(REF)] if "$ref" in choice else choice
    if isinstance(example, dict):
        known = shape.get("properties")
        return shape.get("type") == "object" and (known is None or set(shape.get("required", ())) <= set(example))
    return shape.get("type") == "array" if isinstance(example, list) else False


def _has_fields(field: dict[str, Any]) -> bool:
    """Whether it refers to another shape, whose fields have their own examples."""
    return any("$ref" in one for one in (field, field.get("items", {}), *field.get("anyOf", ())))
