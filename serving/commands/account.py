"""`tepat account`: who may come in."""

from __future__ import annotations

import datetime as dt
import getpass
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from features.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serving.access.accounts import Account
    from serving.access.changes import Accounts, Made
    from serving.access.scope import Scope

app = typer.Typer(help="Who may come in: people, systems, their roles, places and keys.", no_args_is_help=True)
console = Console()
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the account.")]
Roles = Annotated[
    list[str] | None,
    typer.Option("--role", help="planner, puskesmas, integrator, data_officer, auditor, dpo, admin; again for more."),
]
Regions = Annotated[list[str] | None, typer.Option("--region", help="Kecamatan, with all its desa; again for more.")]
Areas = Annotated[list[str] | None, typer.Option("--area", help="Desa of another kecamatan; again for more.")]
Everywhere = Annotated[bool, typer.Option("--everywhere", help="Every region.")]
Subject = Annotated[
    str | None, typer.Option(help="Who it is at the identity provider, as 'issuer|subject'; empty unlinks it.")
]


@app.command(epilog="Example: tepat account add siti.planner --role planner --region 99.01.01 --area 99.01.02.1001")
def add(
    name: Name,
    role: Roles = None,
    region: Regions = None,
    area: Areas = None,
    everywhere: Everywhere = False,  # noqa: FBT002 (a switch of the command line)
    system: Annotated[bool, typer.Option("--system", help="A system: it has keys, no password.")] = False,  # noqa: FBT002 (as above)
    subject: Subject = None,
) -> None:
    """Make an account; a person gets a one-time password, which is shown this once."""
    with _hand() as hand:
        made = hand.add(
            name, kind="system" if system else "person", roles=_roles(role or []),
            scope=_scope(region, area, everywhere=everywhere), subject=subject,
        )  # fmt: skip
    _tell(made, f"{made.account.name} may come in.")


@app.command("list", epilog="Example: tepat account list")
def show() -> None:
    """The accounts, with their keys that hold."""
    drawn = Table("name", "kind", "roles", "where", "signs in by", "state")
    with _hand() as hand:
        for one in hand.accounts():
            held = [key for key in hand.keys(one.name) if key.revoked_at is None]
            by = [f"{key.kind} {key.id} ({key.label})" for key in held]
            by += ["password"] * one.has_password + ["identity provider"] * (one.subject is not None)
            drawn.add_row(one.name, one.kind, ", ".join(sorted(one.roles)), _where(one), ", ".join(by), _state(one))
    console.print(drawn)


@app.command(epilog="Example: tepat account change siti.planner --role planner --region 99.01.03")
def change(
    name: Name,
    role: Roles = None,
    region: Regions = None,
    area: Areas = None,
    everywhere: Everywhere = False,  # noqa: FBT002 (a switch of the command line)
    subject: Subject = None,
    enable: Annotated[bool, typer.Option("--enable", help="Let it come in again.")] = False,  # noqa: FBT002 (as above)
) -> None:
    """Give an account other roles or places in place of those it has; what is not named stays."""
    from serving.access.changes import Change  # noqa: PLC0415 (a fast --help)

    scope = _scope(region, area, everywhere=everywhere) if region or area or everywhere else None
    wanted = Change(
        roles=_roles(role) if role else None, scope=scope, subject=subject, disabled=False if enable else None
    )
    with _hand() as hand:
        made = hand.change(name, wanted)
    _tell(made, f"{made.account.name}: {', '.join(sorted(made.account.roles))}; {_where(made.account)}.")


@app.command(epilog="Example: tepat account disable siti.planner")
def disable(name: Name) -> None:
    """Let an account come in no more; its sessions end, and its lines in the trail stay."""
    from serving.access.changes import Change  # noqa: PLC0415 (a fast --help)

    with _hand() as hand:
        made = hand.change(name, Change(disabled=True))
    _tell(made, f"{made.account.name} may not come in any more.")


@app.command(epilog="Example: tepat account password siti.planner")
def password(name: Name) -> None:
    """Give a person a one-time password, which also unlocks the account; its sessions end."""
    from serving.access.changes import Change  # noqa: PLC0415 (a fast --help)

    with _hand() as hand:
        made = hand.change(name, Change(new_password=True))
    _tell(made, f"{made.account.name} has another password.")


@app.command(epilog="Example: tepat account key simpati --label 'SIMPATI production' --days 365")
def key(
    name: Name,
    label: Annotated[str, typer.Option(help="What it is for; no person's name.")] = "key",
    client: Annotated[bool, typer.Option("--client", help="An OAuth2 client, which fetches tokens with it.")] = False,  # noqa: FBT002 (a switch of the command line)
    days: Annotated[int | None, typer.Option(help="Days until it ends by itself.", min=1)] = None,
) -> None:
    """Give a system a key, which is shown this once."""
    with _hand() as hand:
        until = None if days is None else hand.at + dt.timedelta(days=days)
        made = hand.new_key(name, kind="client" if client else "key", label=label, until=until)
    if client:
        _say(f"client_id: {made.id}")
        _say(f"client_secret: {made.secret}")
    else:
        _say(made.text)
    _say("It is not shown again; only its digest is kept.")


@app.command(epilog="Example: tepat account revoke simpati 0f9c1b2a3d4e5f60")
def revoke(
    name: Name, key_id: Annotated[str, typer.Argument(metavar="KEY", help="Identifier of the key, as in `list`.")]
) -> None:
    """End a key, and the tokens that were fetched with it; a running service knows within two seconds."""
    with _hand() as hand:
        hand.revoke(name, key_id)
    _say(f"The key {key_id} holds no more.")


@contextmanager
def _hand() -> Iterator[Accounts]:
    """Accounts of this machine's store, in the hands of whoever types; a refusal ends the command with its words."""
    from serving.access.changes import Accounts  # noqa: PLC0415 (a fast --help)
    from serving.access.who import at_command  # noqa: PLC0415 (as above)
    from serving.errors import Problem  # noqa: PLC0415 (as above)
    from serving.settings import load  # noqa: PLC0415 (as above)
    from serving.shelf import Shelf  # noqa: PLC0415 (as above)

    shelf = Shelf(load(os.environ).database.get_secret_value())
    try:
        with shelf.store() as store:
            now = dt.datetime.now(tz=dt.UTC)
            yield Accounts(database=store.database, who=at_command(_user()), request_id="command", at=now)
    except Problem as problem:
        raise InputRefused(problem.detail, problem.title, problem.remedy) from problem
    finally:
        shelf.close()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user of the machine that has no name
        return str(os.getuid())


def _roles(named: list[str]) -> Any:
    from serving.access.roles import Role  # noqa: PLC0415 (a fast --help)

    unknown = [one for one in named if one not in set(Role)]
    if unknown:
        raise InputRefused(f"role {unknown[0]}", ", ".join(Role), "Name a role that there is.")
    return frozenset(map(Role, named))


def _scope(region: list[str] | None, area: list[str] | None, *, everywhere: bool) -> Scope:
    from serving.access.scope import Scope  # noqa: PLC0415 (a fast --help)

    if everywhere and (region or area):
        raise InputRefused("--everywhere and --region or --area", "one of them", "Leave out the others.")
    return Scope(everywhere, frozenset(region or ()), frozenset(area or ()))


def _where(of: Account) -> str:
    return "everywhere" if of.scope.everywhere else ", ".join(sorted(of.scope.regions | of.scope.areas)) or "nowhere"


def _state(of: Account) -> str:
    now = dt.datetime.now(tz=dt.UTC)
    locked = of.locked_until is not None and now < of.locked_until
    told = {"disabled": of.disabled, "locked": locked, "one-time password": of.must_change}
    return ", ".join(name for name, is_so in told.items() if is_so) or "ok"


def _tell(made: Made, said: str) -> None:
    _say(said)
    if made.one_time:
        _say(f"One-time password: {made.one_time}")
        _say("It is not shown again, and must be changed at the first sign-in.")


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)
