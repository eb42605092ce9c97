"""`spanward demo`: sidecar, local provider, sample application and page, in one command."""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ..data_directory import DataDirectory, Sidecar, default
from ..query import ask_sidecar
from . import history
from .processes import ended, free_port, lines_of, said

KEYS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
PROVIDER = [sys.executable, "-m", "spanward.collector.demo.provider", "--port", "0"]
PATIENCE = 60.0
"""Seconds to wait for a child process to be ready; the first start of the embedded store is the slow one."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--calls", type=int, default=60, metavar="N", help="calls that the sample app makes (default 60)"
    )
    parser.add_argument(
        "--exit", action="store_true", help="stop when the calls are done, instead of keeping the page up"
    )
    parser.add_argument("--remove", action="store_true", help="remove all demonstration data from the store and stop")
    parser.add_argument("--data", type=Path, metavar="DIR", help="data directory (default: that of `spanward serve`)")
    parser.add_argument("--port", type=int, metavar="PORT", help="port of the sidecar (default: 4318, or a free one)")
    parser.add_argument(
        "--provider", choices=("local", *KEYS), help="who answers (default: local; asks when an API key is set)"
    )


def run(arguments: argparse.Namespace) -> int:
    console = Console()
    if arguments.calls < 1:
        console.print("--calls must be at least 1", style="red")
        return 2
    if (key := KEYS.get(arguments.provider)) and not os.environ.get(key):
        console.print(f"--provider {arguments.provider} needs {key}: set it, or leave --provider away", style="red")
        return 2
    if arguments.remove:
        from .removal import remove

        return remove(arguments, console)
    provider = arguments.provider or choose_provider(console)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # leaves the block below, and with it every child
    with ExitStack() as running:
        sidecar = running.enter_context(a_sidecar(arguments, console))
        send_history(sidecar, console)
        environment = {**os.environ, **app_environment(sidecar), "SPANWARD_DEMO_PROVIDER": provider}
        if provider == "local":
            environment |= local_provider(running.enter_context(said(PROVIDER, PATIENCE)))
        began = time.time()
        outcomes = run_app(environment, arguments.calls, console)
        if outcomes is None:
            return 1
        summarise(sidecar, began, outcomes, console)
        console.print(
            f"\nThe page: [bold]{sidecar.address}/[/bold]   (env = demo; `spanward demo --remove` takes it out)"
        )
        if not arguments.exit:
            console.print("Ctrl-C stops it.")
            wait_for_interrupt()
    return 0


def choose_provider(console: Console) -> str:
    """Offer the real provider to a person whose environment has a key; a script gets the local one."""
    for provider, key in KEYS.items():
        if os.environ.get(key) and sys.stdin.isatty():
            answer = console.input(f"{key} is set. Send the demonstration's calls to the real {provider}? \\[y/N] ")
            if answer.strip().lower() in {"y", "yes"}:
                return provider
    return "local"


@contextmanager
def a_sidecar(arguments: argparse.Namespace, console: Console) -> Iterator[Sidecar]:
    """The sidecar that already serves this data directory, else one of our own until the demonstration ends."""
    data = DataDirectory(arguments.data or default())
    if found := data.sidecar():
        console.print(f"Using the sidecar that runs at {found.address} (pid {found.pid}).")
        yield found
        return
    port = arguments.port if arguments.port is not None else free_port(4318)
    command = [sys.executable, "-m", "spanward.collector.cli", "serve", "--data", str(data.path), "--port", str(port)]
    with ended(subprocess.Popen(command, stdout=subprocess.DEVNULL)) as process:
        with console.status("Starting the sidecar …"):
            until = time.monotonic() + PATIENCE
            while not (found := data.sidecar()):
                if process.poll() is not None:
                    raise SystemExit(process.returncode or 1)
                if time.monotonic() > until:
                    raise SystemExit(f"The sidecar was not ready within {PATIENCE:.0f} s; see its messages above.")
                time.sleep(0.05)
        yield found


def send_history(sidecar: Sidecar, console: Console) -> None:
    """Four weeks of back-dated calls, once: a second demonstration finds them there."""
    there = ask(sidecar, "SELECT count() FROM llm_calls WHERE env = 'demo' AND ts < now() - INTERVAL 1 DAY")[0][0]
    if there:
        return
    headers = {"Content-Type": "application/x-protobuf"}
    with console.status("Sending four weeks of back-dated calls …"), httpx.Client(trust_env=False) as client:
        for body in history.bodies(history.now()):
            client.post(f"{sidecar.address}/v1/traces", content=body, headers=headers).raise_for_status()


def ask(sidecar: Sidecar, sql: str) -> Sequence[Sequence[Any]]:
    return ask_sidecar(sidecar, sql).rows


def app_environment(sidecar: Sidecar) -> dict[str, str]:
    return {
        "SPANWARD_ENDPOINT": sidecar.address,
        "OTEL_SERVICE_NAME": "support-desk",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=demo",
    }


def local_provider(address: str) -> dict[str, str]:
    return {
        "OPENAI_BASE_URL": f"{address}/v1",
        "OPENAI_API_KEY": "demo",
        "SPANWARD_USAGE_HOSTS": "127.0.0.1",
        "ANTHROPIC_BASE_URL": address,
        "ANTHROPIC_API_KEY": "demo",
    }


def run_app(environment: dict[str, str], calls: int, console: Console) -> Counter[str] | None:
    """Run the sample application; how many of its calls ended how, or None if it could not run."""
    outcomes: Counter[str] = Counter()
    command = [sys.executable, "-m", "spanward.collector.demo.app", "--calls", str(calls)]
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with (
        Progress(*columns, console=console) as progress,
        ended(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)) as process,
    ):
        task = progress.add_task("Model calls", total=calls)
        for line in lines_of(process):
            told = json.loads(line)
            outcomes[told["outcome"]] += 1
            progress.update(task, advance=1, description=f"{told['scene']:<28}")
        code = process.wait()
    if code:
        console.print(f"The sample application ended with exit code {code}; its messages are above.", style="red")
        return None
    return outcomes


SUMMARY = """
SELECT model, count(), countIf(status = 'error'), countIf(status = 'blocked'), countIf(guard_action = 'modify'),
       sum(input_tokens + output_tokens), sum(cost_usd), count(cost_usd)
FROM llm_calls WHERE env = 'demo' AND ts >= fromUnixTimestamp64Milli(toInt64({began}))
GROUP BY model ORDER BY count() DESC, model
"""
HEADINGS = ("model", "calls", "errors", "blocked", "PII out", "tokens", "cost")


def rows_once_stored(sidecar: Sidecar, began: float, expected: int, patience: float = 15) -> Sequence[Sequence[Any]]:
    """The summary's rows, asked for until all expected calls are in it or patience ends."""
    sql = SUMMARY.format(began=int(began * 1000))
    until = time.monotonic() + patience
    while True:
        rows = ask(sidecar, sql)
        if sum(row[1] for row in rows) >= expected or time.monotonic() > until:
            return rows
        time.sleep(0.1)


def summarise(sidecar: Sidecar, began: float, outcomes: Counter[str], console: Console) -> None:
    """What the store knows of the calls just made, once it knows all of them."""
    rows = rows_once_stored(sidecar, began, outcomes.total())
    table = Table(title=f"{outcomes.total()} calls, as the store has them", box=None, padding=(0, 2, 0, 0))
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading == "model" else "right", no_wrap=True)
    for model, *counts, cost, priced_calls in rows:
        priced = f"${max(cost, 0.00001):.5f}" if priced_calls else "unpriced"
        table.add_row(model, *(f"{count:,.0f}" for count in counts), priced)
    console.print(table)
    if (stored := sum(row[1] for row in rows)) != outcomes.total():
        console.print(
            f"{outcomes.total() - stored} calls have not arrived yet; the Overview shows them.", style="yellow"
        )


def wait_for_interrupt() -> None:
    with suppress(KeyboardInterrupt):
        while True:
            signal.pause()
