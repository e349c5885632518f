"""The process that asks the gate, by the very functions of `tepat promote`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from features.errors import InputRefused, Refused
from features.folders import write_text
from features.settings import load
from serving.children import give_way
from serving.promoting import ANSWER, ASKED, Asked, Kind, State
from targeting import promote
from targeting.ruling import Side
from training import registry


def answered(asked: Asked) -> dict[str, Any]:
    """What the gate said: `state`, `said` and `champion`, as `serving.promoting.Turn` has them."""
    settings, because = load(), f"{asked.by}: {asked.because}"
    try:
        _check_seen(asked)
        if asked.kind is Kind.ROLL_BACK:
            now = promote.roll_back(settings, name=asked.model, because=because)
            return _told(State.PASSED, champion=now.stamp)
        challenger = Side(*registry.fetch(asked.model, version=asked.version))
        if asked.kind is Kind.ASK:
            made = promote.ask(settings, challenger, by_name=True)
            return _told(State.PASSED if made.passed else State.HELD)
        made = promote.promote(settings, challenger, because=because, by_name=True)
    except Refused as refusal:
        return _told(State.REFUSED, said=str(refusal))
    return _told(State.PASSED, champion=made.challenger.stamp) if made.passed else _told(State.HELD)


def _check_seen(asked: Asked) -> None:
    """So a form that is sent again, or after a colleague's, moves nothing a second time."""
    now = registry.standing(asked.model)
    if (now.version if now else None) != asked.seen:
        found = f"version {now.version if now else 'none'} is champion"
        raise InputRefused(
            f"{found}, and version {asked.seen or 'none'} was when this was asked",
            "a question about the champion of now",
            "Look who is champion, and ask again if it is still wanted.",
        )


def _told(state: State, *, said: str = "", champion: str | None = None) -> dict[str, Any]:
    return {"state": state, "said": said, "champion": champion}


def main() -> None:
    """Answer what lies in the folder that the command line names."""
    give_way()
    folder = Path(sys.argv[1])
    said = json.loads((folder / ASKED).read_text(encoding="utf-8"))
    asked = Asked(**said | {"kind": Kind(said["kind"])})
    write_text(folder / ANSWER, json.dumps(answered(asked)))


if __name__ == "__main__":
    main()
