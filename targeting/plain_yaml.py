"""YAML of which nothing is read that does not stand there."""

from __future__ import annotations

from typing import Any, Final

import yaml

LONGEST: Final = 1_000  # characters of one value
CUT: Final = 60  # characters of a key that a fault shows


def loaded(text: str) -> Any:
    """What the YAML says, without alias, tag or key that stands twice.

    A few lines of aliases can stand for billions; of a key that stands twice one value would be dropped in silence.

    Raises
    ------
    yaml.YAMLError
        It is no such YAML; a `MarkedYAMLError` knows the line.
    """
    return yaml.load(text, _Plain)  # noqa: S506 (a SafeLoader)


class _Plain(yaml.SafeLoader):
    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or event.anchor or event.tag:
            raise yaml.MarkedYAMLError(problem="an alias, an anchor or a tag", problem_mark=event.start_mark)
        if len(getattr(event, "value", "")) > LONGEST:
            raise yaml.MarkedYAMLError(problem=f"over {LONGEST:,} characters in one", problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 (as in PyYAML)
        seen: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                raise yaml.MarkedYAMLError(problem=f"{key.value!s:.{CUT}} stands twice", problem_mark=key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)
