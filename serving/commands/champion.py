"""`tepat promote`: which model is champion, asked of the gate; and the way back."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from features.errors import InputRefused
from features.settings import load

app = typer.Typer()
console = Console()
AGAIN = "The service takes it up within seconds; `dvc repro` makes the list by it."
NO_LIST = "It makes no list, and answers no request."


@app.command(
    epilog="Example: tepat promote, or: tepat promote --ask --version 3, "
    "or: tepat promote --roll-back --because 'half of Jatigede is missing'"
)
def promote(
    model: Annotated[str, typer.Option(help="Name of the model in the registry.")] = "determinants",
    version: Annotated[
        str | None, typer.Option(help="This version instead of the one last trained; the gate is asked all the same.")
    ] = None,
    roll_back: Annotated[bool, typer.Option("--roll-back", help="Back to the champion before this one.")] = False,  # noqa: FBT002 (a switch of the command line)
    ask: Annotated[  # noqa: FBT002 (as above)
        bool, typer.Option("--ask", help="Ask the gate and move nothing; its answer goes to reports/asked-gate.")
    ] = False,
    because: Annotated[str, typer.Option(help="Why; it stands in the registry.")] = "by hand",
) -> None:
    """Let the last trained model become champion if the gate holds; else exit 1 with the table of why."""
    from targeting import promote as stage  # noqa: PLC0415 (a fast --help)
    from targeting.ruling import NAME, Side  # noqa: PLC0415 (a fast --help)
    from training import registry  # noqa: PLC0415 (a fast --help)

    if roll_back and ask:
        raise InputRefused("--roll-back with --ask", "one of them", "A roll-back asks no gate; leave --ask out.")
    settings = load()
    if roll_back:
        now = stage.roll_back(settings, name=model, because=because)
        console.print(f"champion again: {now.stamp}, version {now.version}", markup=False, soft_wrap=True)
        console.print(AGAIN if model == NAME else NO_LIST, markup=False, soft_wrap=True)
        return
    found = registry.fetch(model, version=version, alias=registry.CHALLENGER)
    if ask:
        raise typer.Exit(0 if stage.ask(settings, Side(*found), by_name=version is not None).passed else 1)
    if not stage.promote(settings, Side(*found), because=because, by_name=version is not None).passed:
        raise typer.Exit(1)
    console.print(AGAIN if model == NAME else NO_LIST, markup=False, soft_wrap=True)
