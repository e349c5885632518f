"""Every page that links lead to, as somebody finds them."""

from __future__ import annotations

import re
from collections import deque
from typing import Any
from urllib.parse import urlsplit

import httpx

from serving.app import ROUTES

PAGES = {route.path: route for route in ROUTES if not route.include_in_schema and "GET" in (route.methods or ())}
NO_PAGE = {
    "/language/{code}",
    "/field/worker.js",
    "/lists/new/preview",
    "/data/field",
    "/data/registers/{register}/to-mend",
}
"""What answers with no page of its own."""
LINK = re.compile(r'<a[^>]* href="([^"#]+)')


def page_of(path: str) -> str | None:
    """The template of the page at an address; None where there is none."""
    found = [name for name, route in PAGES.items() if route.path_regex.match(path)]
    return min(found, key=lambda name: name.count("{")) if found else None


def visited(reader: httpx.Client, *, at_most: int = 3) -> dict[str, Any]:
    """What links lead to from the overview, each page at most so often; by address."""
    waiting, seen, counted = deque(["/"]), dict[str, Any](), dict[str, int]()
    while waiting:
        address = waiting.popleft()
        name = page_of(urlsplit(address).path)
        if name is None or name in NO_PAGE or address in seen or counted.get(name, 0) >= at_most:
            continue
        counted[name] = counted.get(name, 0) + 1
        seen[address] = reader.get(address)
        if "text/html" in seen[address].headers.get("content-type", ""):
            waiting += [link.replace("&amp;", "&") for link in LINK.findall(seen[address].text)]
    return seen
