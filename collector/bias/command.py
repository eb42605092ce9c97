"""`spanward bias audit | prompts`."""

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import anyio
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from ...guards.bias import page
from ...guards.bias.measures import Values, measurer
from ...guards.bias.prompts import OWN, Prompt, PromptsError, PromptSet, chosen, expand, fingerprint, load
from ...guards.bias.report import Answered, Report, comparisons, error_counts
from ...guards.detectors.toxicity import Toxicity
from ..command import FAILED, CommandError
from . import terminal
from .asking import Ask, Journal, ask_all
from .function import chat, named


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    auditing = actions.add_parser("audit", help="ask a model function the same for different groups, and compare")
    auditing.add_argument("--call", metavar="MODULE:FUNCTION", help="takes a prompt, returns a text; async or not")
    auditing.add_argument("--base-url", metavar="URL", help="instead: a chat endpoint in OpenAI's form (…/v1)")
    auditing.add_argument("--model", help="the model to ask there")
    auditing.add_argument("--key-variable", default="OPENAI_API_KEY", help="where its key is (default %(default)s)")
    auditing.add_argument("--out", type=Path, default=Path("bias-audit"), metavar="FOLDER",
                          help="for the report, and what a later run goes on from (default %(default)s)")  # fmt: skip
    auditing.add_argument("--fresh", action="store_true", help="ask everything again, whatever is in FOLDER")
    auditing.add_argument("--repeats", type=_number, default=1, help="times each prompt is asked (default 1)")
    auditing.add_argument("--concurrency", type=_number, default=4, help="calls at once (default 4)")
    auditing.add_argument("--timeout", type=float, default=60, help="seconds for a call (default 60)")
    auditing.set_defaults(act=audit)
    printing = actions.add_parser("prompts", help="print what would be asked")
    printing.set_defaults(act=show)
    for action in (auditing, printing):
        action.add_argument(
            "--prompts", type=Path, default=OWN, metavar="FILE", help="groups and templates of your own"
        )
        action.add_argument("--axis", action="append", default=[], help="only this one; may be given several times")


def run(arguments: argparse.Namespace) -> int:
    try:
        prompts = chosen(load(arguments.prompts), arguments.axis)
    except PromptsError as problem:
        raise CommandError(str(problem)) from None
    return int(arguments.act(arguments, prompts))


def show(_arguments: argparse.Namespace, prompts: PromptSet) -> int:
    sys.stdout.writelines(f"{prompt.axis}\t{prompt.group}\t{prompt.text}\n" for prompt in expand(prompts))
    return 0


def audit(arguments: argparse.Namespace, prompts: PromptSet) -> int:
    """0 where there is no finding, 1 where there is one, or nothing can be said, or it was stopped."""
    ask, subject = _function(arguments)
    toxicity, console = Toxicity(), Console(stderr=True)
    about = {"journal": 1, "subject": subject, "prompts": fingerprint(prompts), "engine": toxicity.engine}
    journal = _journal(arguments, about)
    if journal.answers:
        console.print(f"{len(journal.answers)} answers are from an earlier run in {arguments.out} (--fresh asks again)")
    try:
        _ask(arguments, ask, list(expand(prompts)), journal, measurer(toxicity), console)
    except KeyboardInterrupt:
        console.print("stopped; what was answered is reported, and the same command goes on from here")
    finally:
        journal.close()
        toxicity.close()
    report = _report(subject, toxicity.engine, arguments.repeats, prompts, journal.answers)
    (arguments.out / "report.html").write_text(page.page(report), "utf-8")
    (arguments.out / "report.json").write_text(report.json() + "\n", "utf-8")
    terminal.show(report, Console())
    sys.stdout.write(f"{arguments.out / 'report.html'}\n{arguments.out / 'report.json'}\n")
    return FAILED if report.findings or not report.conclusive or report.unanswered else 0


def _report(subject: str, engine: str, repeats: int, prompts: PromptSet, answers: list[Answered]) -> Report:
    used = [answer for answer in answers if answer.repeat < repeats]
    errors = error_counts(used)
    return Report(
        subject=subject,
        when=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        engine=engine,
        prompts=fingerprint(prompts),
        repeats=repeats,
        asked=sum(1 for _ in expand(prompts)) * repeats,
        answered=len(used) - sum(errors.values()),
        errors=errors,
        comparisons=comparisons(prompts, used),
    )


def _function(arguments: argparse.Namespace) -> tuple[Ask, str]:
    if arguments.call and not (arguments.base_url or arguments.model):
        return named(arguments.call), arguments.call
    if arguments.base_url and arguments.model and not arguments.call:
        ask = chat(arguments.base_url, arguments.model, arguments.key_variable)
        return ask, f"{arguments.model} at {arguments.base_url}"
    raise CommandError("say what to ask: --call MODULE:FUNCTION, or --base-url URL and --model NAME")


def _journal(arguments: argparse.Namespace, about: dict[str, object]) -> Journal:
    path = arguments.out / "answers.jsonl"
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
        if arguments.fresh:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise CommandError(f"cannot write into {arguments.out}: {error.strerror}") from error
    return Journal(path, about)


def _ask(
    arguments: argparse.Namespace,
    ask: Ask,
    asked: list[Prompt],
    journal: Journal,
    measure: Callable[[str], Values],
    console: Console,
) -> None:
    told: Counter[str] = Counter()
    failed = TextColumn("{task.fields[failed]} failed")
    with Progress(
        TextColumn("asking"), MofNCompleteColumn(), failed, TimeRemainingColumn(), console=console, transient=True
    ) as progress:
        task = progress.add_task("", total=len(asked) * arguments.repeats, completed=len(journal.answers), failed=0)

        def shown(answer: Answered, problem: BaseException | None) -> None:
            if problem is not None:
                told[answer.error] += 1
                if told[answer.error] == 1:  # once for each class; the rest is counted
                    console.print(Text(f"a call failed: {answer.error}: {problem}", "red"))
            progress.update(task, advance=1, failed=told.total())

        limits = {"repeats": arguments.repeats, "concurrency": arguments.concurrency, "timeout_s": arguments.timeout}
        anyio.run(partial(ask_all, ask, asked, measure, journal, shown=shown, **limits))


def _number(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number
