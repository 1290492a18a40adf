"""Commands for keys and the audit log. They work on the database, so that the first key can be made
before the service runs, and by those only who can reach it."""

from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cluster.database import migrate
from serve_app.access import audit as audit_log
from serve_app.access import keys
from serve_app.access.scopes import Scope

keys_app = typer.Typer(help="API keys: make, list and revoke them.", no_args_is_help=True)
console = Console()

Name = Annotated[
    str, typer.Argument(help="Whom or what the key is for; it says who in the audit log.")
]


@keys_app.command()
def create(
    name: Name,
    scope: Annotated[
        Scope, typer.Option(help="read; run: change as well; admin: delete and audit as well.")
    ] = Scope.RUN,
    days: Annotated[float | None, typer.Option(help="Days until it expires.", min=0)] = None,
    rate: Annotated[
        float | None, typer.Option(help="Calls a second, in place of the setting.", min=0.01)
    ] = None,
    max_body: Annotated[
        int | None, typer.Option(help="Largest body that it may send, bytes.", min=1)
    ] = None,
) -> None:
    """Make a key; prints its secret, this once."""
    if not (clean := name.strip()).isprintable() or not 0 < len(clean) <= 100:
        raise typer.BadParameter("a name has 1 to 100 printable characters")
    migrate()
    secret = keys.create(
        clean,
        scope,
        lifetime=None if days is None else timedelta(days=days),
        requests_per_second=rate,
        max_body_bytes=max_body,
    )
    typer.echo("Keep it now: it is stored as a digest and cannot be shown again.", err=True)
    typer.echo(secret)


@keys_app.command("list")
def list_keys() -> None:
    """List keys, without their secrets."""
    migrate()
    table = Table("Name", "Begins", "Scope", "Made", "Last used", "State")
    for key in keys.all_keys():
        state = "in force"
        if key.expires_at:
            state = f"until {key.expires_at:%Y-%m-%d %H:%M}"
        if key.revoked_at:
            state = f"revoked {key.revoked_at:%Y-%m-%d %H:%M}"
        used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never"
        made = f"{key.created_at:%Y-%m-%d %H:%M}"
        table.add_row(key.name, f"{key.prefix}…", key.scope.value, made, used, state)
    console.print(table)


@keys_app.command()
def revoke(name: Name) -> None:
    """Take a key out of force, at once, with the browsers that logged in by it."""
    migrate()
    keys.revoke(name)
    typer.echo(f"{name} is revoked")


def audit(
    key: Annotated[str | None, typer.Option(help="Only calls with the key of this name.")] = None,
    limit: Annotated[int, typer.Option(help="Most entries.", min=1)] = 100,
    offset: Annotated[int, typer.Option(help="Entries to skip.", min=0)] = 0,
) -> None:
    """List the calls that came with a key, newest first."""
    migrate()
    page = audit_log.page(limit, offset, key)
    table = Table("At", "Key", "Method", "Path", "Status", "Calls")
    for one in page.entries:
        when = f"{one.at:%Y-%m-%d %H:%M:%S}"
        table.add_row(when, one.key, one.method, one.path, str(one.status), str(one.count))
    console.print(table)
    console.print(f"{len(page.entries)} of {page.total:,} entries")
