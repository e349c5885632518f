"""The command `tepat`."""

from __future__ import annotations

import gc
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from features.errors import InputRefused, run_stage
from features.settings import load
from serving.commands import account, audit, champion, field, keep

app = typer.Typer(
    help="Which households to visit first, and why.", no_args_is_help=True, pretty_exceptions_show_locals=False
)
console = Console()


@app.command(epilog="Example: tepat simulate --households 20000 --seed 1 --out data/simulated")
def simulate(
    households: Annotated[int, typer.Option(help="Households to make.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Same seed, same files.", min=0)] = 1,
    out: Annotated[Path, typer.Option(help="Folder for registers/ and truth/.")] = Path("data/simulated"),
    areas: Annotated[
        Path | None, typer.Option(help="CSV of kecamatan and desa in the Kemendagri form; made up without it.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Do nothing when this very simulation is there.")] = False,  # noqa: FBT002 (a switch of the command line)
) -> None:
    """Make the registers of a kabupaten that does not exist, and apart from them the truth about it."""
    from features.progress import shown  # noqa: PLC0415 (a fast --help)
    from features.simulation import figures, run  # noqa: PLC0415 (a fast --help)

    if keep and run.is_there(out, households=households, seed=seed, code_list=areas):
        console.print(f"{out} holds this simulation already.", markup=False, soft_wrap=True)
        return
    made = run.simulate(out, households=households, seed=seed, code_list=areas, steps=shown("simulating, by desa"))
    console.print(figures.drawn(made))
    console.print(f"Registers: {out / 'registers'}; the truth: {out / 'truth'}", markup=False, soft_wrap=True)


@app.command(epilog="Example: tepat ingest --format dhs --data survey/ --out accepted/")
def ingest(
    data: Annotated[Path, typer.Option(help="Folder with one file a register.")],
    out: Annotated[Path, typer.Option(help="Where accepted rows and the quarantine go.")] = Path("data/interim"),
    layout: Annotated[Literal["canonical", "dhs"], typer.Option("--format", help="Layout of the files.")] = "canonical",
) -> None:
    """Check registers: a table of rows read, accepted and quarantined, and the rows to fix."""
    from features import ingest as stage  # noqa: PLC0415 (a fast --help)

    report = stage.ingest(data, layout, out, max_quarantine_share=load().ingest.max_quarantine_share)
    console.print(stage.table(report))
    for note in report.notes:
        console.print(f"- {note}", markup=False)
    for line in stage.to_correct(report, out):
        console.print(line, markup=False, soft_wrap=True)


@app.command(epilog="Example: tepat growth measured.csv scored.csv")
def growth(
    source: Annotated[
        Path, typer.Argument(help="CSV with sex, age, and weight, lenhei, measure, headc, armc, oedema.")
    ],
    target: Annotated[Path, typer.Argument(help="The same rows with z-scores and flags appended.")],
) -> None:
    """Height, weight, head and arm against the WHO Child Growth Standards, as WHO's own software makes them."""
    from features.growth_file import score_file  # noqa: PLC0415 (a fast --help)

    rows, unread = score_file(source, target)
    console.print(f"{rows:,} rows written to {target}", markup=False)
    for name, count in unread.items():
        console.print(f"- {name}: {count:,} cells hold no number and were taken as empty", markup=False)


@app.command(epilog="Example: tepat train")
def train() -> None:
    """Train on the features in data/features and register the model as challenger."""
    from training import fit  # noqa: PLC0415 (a fast --help)

    fit.main()


@app.command(epilog="Example: tepat evaluate")
def evaluate() -> None:
    """Judge the model against today's rules; writes reports/metrics.json."""
    from training import evaluate as stage  # noqa: PLC0415 (a fast --help)

    stage.main()


@app.command(epilog="Example: tepat score, or: tepat facts 2014-1 > home.json; tepat score --facts home.json")
def score(
    facts: Annotated[
        Path | None, typer.Option(help="JSON as POST /v1/score takes it: score that, and print the answer.")
    ] = None,
) -> None:
    """Score every unit of the test period, with reasons; or only the households of a file."""
    if facts is None:
        from targeting import run  # noqa: PLC0415 (a fast --help)

        run.score(load())
        return
    from serving.once import score_file  # noqa: PLC0415 (a fast --help)

    print(score_file(facts))


@app.command(epilog="Example: tepat facts 2014-1 > home.json")
def facts(household: Annotated[str, typer.Argument(help="Identifier of a household in the registers.")]) -> None:
    """Print what the accepted registers know of a household, as POST /v1/score takes it."""
    from serving.once import facts_of  # noqa: PLC0415 (a fast --help)

    print(facts_of(household))


@app.command(epilog="Example: tepat serve --port 8000")
def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; 127.0.0.1 unless TEPAT_HOST says else.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 8000 unless TEPAT_PORT says else.")] = None,
) -> None:
    """Answer other systems over HTTP, from this folder's model and scores."""
    gc.disable()  # what is loaded now stays: to look for garbage in it would take a quarter of the start
    from serving import server, settings  # noqa: PLC0415 (a fast --help)

    gc.enable()

    given = {"TEPAT_HOST": host, "TEPAT_PORT": port}
    chosen = {name: str(value) for name, value in given.items() if value is not None}
    server.serve(settings.load({**os.environ, **chosen}))


@app.command(epilog="Example: tepat worklist --capacity 400 --region PE-01 --region PE-02")
def worklist(
    capacity: Annotated[int | None, typer.Option(help="Households that can be visited.", min=0)] = None,
    region: Annotated[list[str] | None, typer.Option(help="Region; give it again for more.")] = None,
    objective: Annotated[
        Literal["find", "prevent"] | None, typer.Option(help="Children stunted now, or at 24 months.")
    ] = None,
    top: Annotated[int, typer.Option(help="Lines to print.", min=0)] = 10,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the files; reports/asked when a choice is given.")
    ] = None,
) -> None:
    """Print the first lines of the priority list; with a choice, make that list as CSV, XLSX and picture."""
    from targeting import lists  # noqa: PLC0415 (a fast --help)

    settings = load()
    made, homes = lists.listed(settings, capacity=capacity, regions=region or None, objective=objective)
    folder = settings.paths.reports / "worklist"
    if out or region or objective or capacity is not None:
        # What the pipeline made stays as it is, or it would have to run again.
        folder = out or settings.paths.reports / "asked"
        lists.publish(settings, made, homes, folder=folder)
    drawn = Table("#", "household", "region", "risk", "why (Indonesia)", title="Visit first")
    for row in made.rows.head(top).itertuples():
        drawn.add_row(str(row.rank), str(row.household_id), str(row.region_id), f"{row.risk:.1%}", str(row.reasons_id))
    console.print(drawn)
    console.print(f"Files: {folder} (worklist.csv, worklist.xlsx, urgent.csv, by_region.png)")


@app.command(epilog="Example: tepat plan --policy round-2.yaml --out reports/round-2")
def plan(
    policy: Annotated[
        Path | None, typer.Option(help="File of the policy, as docs/policies.md explains; that of params.yaml without.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the files, replaced whole.")] = Path("reports/asked-plan"),
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day of the plan; that of the newest fact without it.")
    ] = None,
    again: Annotated[
        Path | None, typer.Option(help="Folder of a plan: make it again from its own policy and inputs, and compare.")
    ] = None,
    top: Annotated[int, typer.Option(help="Lines to print.", min=0)] = 10,
) -> None:
    """Plan a round: whom to visit and what to hand over under a policy, and why; or repeat a plan and compare."""
    from serving.held import held_today  # noqa: PLC0415 (a fast --help)
    from targeting import plan_run  # noqa: PLC0415 (a fast --help)
    from targeting.policy import read  # noqa: PLC0415 (a fast --help)

    settings = load()
    if again is not None:
        plan_run.again(settings, again)
        console.print(f"{again}: the same inputs make the same plan.", markup=False, soft_wrap=True)
        return
    asked = read(policy or Path(settings.plan.policy))
    made = plan_run.make(settings, asked, out, on=on.date() if on else None, held=held_today())
    drawn = Table("#", "household", "area", "expected", "chosen for", "why (Indonesia)", title="Visit first")
    for row in made.lines.head(top).itertuples():
        drawn.add_row(
            str(row.rank), str(row.household_id), str(row.area_id), f"{row.value:.2f}", str(row.chosen_for_id),
            str(row.reasons_id),
        )  # fmt: skip
    console.print(drawn)
    files = "plan.csv, plan.xlsx, left_out.csv, services.csv, limits.csv, urgent.csv, unregistered.csv, coverage.csv"
    console.print(f"Files: {out} ({files})", markup=False, soft_wrap=True)


@app.command(epilog="Example: tepat compare --policy round-2.yaml")
def compare(
    policy: Annotated[Path | None, typer.Option(help="File of the policy; that of params.yaml without.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the files, replaced whole.")] = Path("reports/compared"),
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day of the plan; that of the newest fact without it.")
    ] = None,
) -> None:
    """Set a policy's plan beside KRS, poverty, equal share and lots under its limits, and with more or less of them."""
    from serving.held import held_today  # noqa: PLC0415 (a fast --help)
    from targeting import compare_run  # noqa: PLC0415 (a fast --help)
    from targeting.policy import read  # noqa: PLC0415 (a fast --help)

    settings = load()
    day = on.date() if on else None
    asked = read(policy or Path(settings.plan.policy))
    made = compare_run.compare(settings, asked, out, on=day, held=held_today())
    console.print(compare_run.drawn(made))
    console.print(f"Files: {out} (plans.csv, coverage.csv, plans.png, frontier_*.png)", markup=False, soft_wrap=True)


@app.command("what-if", epilog="Example: tepat what-if 2014-1 sanitation.toilet=flush_septic maternal.height_cm=150")
def what_if(
    household: Annotated[str, typer.Argument(help="Identifier of a household in the registers.")],
    changes: Annotated[list[str], typer.Argument(help="register.column=value; nothing after = for not known.")],
) -> None:
    """Ask the model about other facts of a household: association, not effect."""
    from serving.what_if import compare_facts  # noqa: PLC0415 (a fast --help)

    print(compare_facts(household, changes))


@app.command(epilog="Example: tepat outcomes reports/round-2")
def outcomes(
    plan_folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of a plan.")],
    out: Annotated[Path | None, typer.Option(help="Folder for the files; FOLDER-outcomes without it.")] = None,
) -> None:
    """What the visits of a plan found, as labels with the weights of its lots."""
    from targeting.outcomes_run import follow_up  # noqa: PLC0415 (a fast --help)

    follow_up(load(), plan_folder, out=out)


@app.command(epilog="Example: tepat metrics")
def metrics() -> None:
    """Print the last evaluation."""
    from training.evaluate import table  # noqa: PLC0415 (a fast --help)

    path = load().paths.reports / "metrics.json"
    if not path.exists():
        raise InputRefused(f"no {path}", "the figures of an evaluation", "Run `make run` or `tepat evaluate` first.")
    console.print(table(json.loads(path.read_text(encoding="utf-8"))))


app.add_typer(champion.app)
app.add_typer(keep.app)
app.add_typer(audit.app, name="audit")
app.add_typer(field.app, name="field")
app.add_typer(account.app, name="account")


def main() -> None:
    """Run the command; a refusal is said in its own words."""
    run_stage(app)


if __name__ == "__main__":
    main()
