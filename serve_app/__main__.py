"""The command line: start the service, and use it without a browser."""

import os
import signal
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from cluster import backup as backups
from cluster import launch
from cluster.settings import Settings
from cluster.storage import storage
from jobs.errors import BenchmarkRunnerError
from jobs.schemas.sampling import Sampling
from serve_app import access_commands
from serve_app import demo as demonstration
from serve_app.access.start import require_keys
from serve_app.client import ApiError, Client
from serve_app.watch import summary, watch

app = typer.Typer(
    help="Benchmark Runner: which model should we run?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(access_commands.keys_app, name="keys")
app.command()(access_commands.audit)
console = Console()

Port = Annotated[int | None, typer.Option(help="Port of the service.", show_default="8000")]
Url = Annotated[
    str | None,
    typer.Option(help="Address of the service; found by itself on this machine."),
]


@app.command()
def demo(
    dataset: Annotated[Path, typer.Option(help="JSONL file to run.")] = demonstration.SAMPLE,
    models: Annotated[
        str, typer.Option(help="Model ids of the registry, separated by commas or spaces.")
    ] = ",".join(demonstration.EMBEDDED),
    port: Port = None,
    stay: Annotated[bool, typer.Option(help="Keep serving until Ctrl-C.")] = True,
) -> None:
    """Run two real models over a sample dataset, and keep serving."""
    if not dataset.is_file():
        raise typer.BadParameter(f"there is no file {dataset}")
    chosen = models.replace(",", " ").split()
    settings = _settings(port)
    require_keys(settings.host, keyless=settings.is_local)
    _require_storage(settings)
    if not demonstration.run(settings, dataset, chosen, console, stay=stay):
        raise typer.Exit(1)


@app.command()
def serve(port: Port = None) -> None:
    """Start Ray and the service on this machine, until Ctrl-C."""
    settings = _settings(port)
    require_keys(settings.host, keyless=settings.is_local)
    _require_storage(settings)
    while True:
        with launch.service(settings) as session:
            console.print(f"Serving on {session.service_url} until Ctrl-C.")
            if demonstration.interrupted(session):
                return
        console.print("Ray has ended unexpectedly. Starting it again; benchmarks go on.")


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="Must not exist; .tar.gz.")]) -> None:
    """Write database and storage to one file; the service may go on running."""
    made = backups.backup(file)
    console.print(f"{file}: {sum(made.rows.values()):,} rows, {file.stat().st_size:,} bytes")


@app.command()
def restore(file: Path) -> None:
    """Restore a back-up into an empty database and storage, of whatever kind."""
    if not file.is_file():
        _stop(f"There is no file {file}.")
    made = backups.restore(file)
    console.print(f"Restored {sum(made.rows.values()):,} rows of {made.made_at:%Y-%m-%d %H:%M}")


@app.command()
def env() -> None:
    """Print what Ray's own tools need in their environment: eval "$(benchmark-runner env)"."""
    session = launch.current(_settings(None))
    if session is None:
        _stop("No service is running on this machine (make serve).")
    for name, value in session.client_environment().items():
        typer.echo(f"export {name}={value}")


@app.command()
def models(url: Url = None) -> None:
    """List the models of the registry."""
    table = Table("Model id", "Name", "Size", "Memory", "Fit", "Licence")
    with _client(url) as client:
        for model in client.models():
            memory = f"{model.memory_gib:g} GiB" if model.runs_here else "elsewhere"
            verdict = model.fit.verdict.replace("_", " ")
            table.add_row(model.model_id, model.name, model.size, memory, verdict, model.license)
    console.print(table)


@app.command()
def upload(file: Path, url: Url = None) -> None:
    """Upload a JSONL dataset; prints its id."""
    if not file.is_file():
        _stop(f"There is no file {file}.")
    with _client(url) as client:
        stored = client.upload(file)
    console.print(f"{stored.dataset_id}  {stored.name}: {stored.count:,} requests")


@app.command()
def datasets(url: Url = None) -> None:
    """List datasets."""
    table = Table("Dataset", "Name", "Requests", "Uploaded")
    with _client(url) as client:
        for one in client.datasets():
            table.add_row(one.id, one.name, f"{one.count:,}", f"{one.uploaded_at:%Y-%m-%d %H:%M}")
    console.print(table)


@app.command()
def run(
    model: Annotated[list[str], typer.Option(help="Model id; repeat for several models.")],
    dataset: Annotated[str, typer.Option(help="Dataset id.")],
    temperature: Annotated[float | None, typer.Option(help="Override for every request.")] = None,
    top_p: Annotated[float | None, typer.Option(help="Override for every request.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Override for every request.")] = None,
    seed: Annotated[int | None, typer.Option(help="Override for every request.")] = None,
    url: Url = None,
) -> None:
    """Run models over a dataset and watch."""
    sampling = Sampling(temperature=temperature, top_p=top_p, max_tokens=max_tokens, seed=seed)
    with _client(url) as client:
        asked = [client.run(one, dataset, sampling).benchmark_id for one in model]
        console.print(summary(watch(client, asked, console)))


@app.command()
def benchmarks(url: Url = None) -> None:
    """List benchmarks, newest first."""
    table = Table("Benchmark", "Model", "Dataset", "Status", "Progress", "Output tok/s")
    with _client(url) as client:
        for one in client.benchmarks():
            table.add_row(
                one.benchmark_id,
                one.model_name,
                one.dataset_name,
                one.status.value,
                f"{one.progress} %",
                f"{one.throughput:.1f}",
            )
    console.print(table)


@app.command("watch")
def watch_benchmarks(benchmark_ids: list[str], url: Url = None) -> None:
    """Watch benchmarks until they end."""
    with _client(url) as client:
        console.print(summary(watch(client, benchmark_ids, console)))


@app.command()
def cancel(benchmark_id: str, url: Url = None) -> None:
    """Cancel a benchmark; finished results stay."""
    with _client(url) as client:
        console.print(f"{benchmark_id} is {client.cancel(benchmark_id).status.value}")


@app.command()
def download(
    benchmark_id: str,
    format: Annotated[str, typer.Option(help="jsonl or csv")] = "jsonl",
    url: Url = None,
) -> None:
    """Write all results of a benchmark to standard output."""
    with _client(url) as client:
        for piece in client.download(benchmark_id, format):
            sys.stdout.buffer.write(piece)


def _settings(port: int | None) -> Settings:
    return Settings() if port is None else Settings(port=port)


def _require_storage(settings: Settings) -> None:
    """What is wrong with it is said here, and not in the log of each process that is started."""
    try:
        storage(settings.storage_uri).list("datasets")
    except ValueError as error:
        _stop(str(error))


def _client(url: str | None) -> Client:
    if url is None:
        session = launch.current(_settings(None))
        if session is None:
            _stop("No service is running on this machine (make serve). Or give its --url.")
        url = session.service_url
    return Client(url, os.environ.get(launch.API_KEY))


def _stop(message: str) -> NoReturn:
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(1)


def main() -> None:
    """Entry point: errors that a user can mend are sentences, not tracebacks."""
    # A service manager's stop is a Ctrl-C, so that nothing is left running.
    # Ctrl-C also counts where a shell has started this in the background, with SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        app()
    except ApiError as error:
        typer.echo(f"error: {error.problem.message}", err=True)
        for one in error.problem.details.get("errors", []):
            typer.echo(f"  line {one.get('line', '?')}: {one['message']}", err=True)
    except (launch.LaunchError, backups.BackupError, BenchmarkRunnerError) as error:
        typer.echo(f"error: {error}", err=True)
    except ValidationError as error:
        for one in error.errors():
            name = "".join(f"{part}: " for part in one["loc"])
            typer.echo(f"error: {name}{one['msg'].removeprefix('Value error, ')}", err=True)
    except OSError as error:
        typer.echo(f"error: {error}", err=True)
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
    else:
        return
    sys.exit(1)


if __name__ == "__main__":
    main()
