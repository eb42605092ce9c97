"""`spanward run`: the program is the same program, and traced; whatever is wrong with us, it runs."""

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from spanward.collector.run_command import BOOTSTRAP, deaf_option, environment

from .sidecar_process import SPANWARD, clean_environment

NOWHERE = "http://127.0.0.1:9"
TRACED = "import openai; from spanward.tracer import instrument; print('traced', instrument.running() is not None)"
SHOWN = "import sys; print(sys.modules['sitecustomize'].__dict__.get('theirs'))"


def run(*told: str | Path, spool: Path, **also: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*SPANWARD, "run", "--endpoint", NOWHERE, "--guards", "off", "--spool", str(spool), *map(str, told)],
        env=clean_environment(**also),
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )


@pytest.mark.parametrize(
    ("chosen", "before", "changes"),
    [
        ({}, {}, {}),
        (
            {"endpoint": "http://h:1", "guards": "off", "policy": None, "service_name": "shop"},
            {"SPANWARD_GUARDS": "local", "SPANWARD_POLICY": "strict"},
            {"SPANWARD_ENDPOINT": "http://h:1", "SPANWARD_GUARDS": "off", "OTEL_SERVICE_NAME": "shop"},
        ),
        (
            {"environment": "a,b"},
            {"OTEL_RESOURCE_ATTRIBUTES": "team=x"},
            {"OTEL_RESOURCE_ATTRIBUTES": "team=x,deployment.environment.name=a%2Cb"},
        ),
        ({}, {"PYTHONPATH": f"/a:{BOOTSTRAP}::/b"}, {"PYTHONPATH": f"{BOOTSTRAP}:/a:/b"}),
        ({}, {"SPANWARD_RUN_SAID": "1"}, {"SPANWARD_RUN_SAID": None}),
    ],
)
def test_options_are_variables(
    chosen: dict[str, str | None], before: dict[str, str], changes: dict[str, str | None]
) -> None:
    always = {"PYTHONPATH": str(BOOTSTRAP), "SPANWARD_RUN": "1"}
    wanted = {key: value for key, value in {**before, **always, **changes}.items() if value is not None}
    assert environment(chosen, before) == wanted


@pytest.mark.parametrize(
    ("program", "option"),
    [
        (["python", "-I", "a.py"], "-I"),
        (["/usr/bin/python3.12", "-u", "-sE", "a.py"], "-sE"),
        (["python", "-S", "-c", "pass"], "-S"),
        (["python", "a.py", "-I"], ""),
        (["python", "-m", "pkg", "-E"], ""),
        (["python", "-c", "pass", "-S"], ""),
        (["python", "-u", "a.py"], ""),
        (["gunicorn", "-I", "app"], ""),
        (["python"], ""),
    ],
)
def test_options_that_keep_us_out_are_noticed(program: list[str], option: str) -> None:
    assert deaf_option(program) == option


def test_a_module_wants_its_interpreter(tmp_path: Path) -> None:
    done = run("-m", "shop.app", "--port", "1", spool=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "spanward run: say the interpreter as well: spanward run python -m shop.app --port 1\n"


def test_the_program_is_this_process(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*SPANWARD, "run", "sh", "-c", "echo $$; exit 7"], stdout=subprocess.PIPE, text=True, env=clean_environment()
    ) as process:
        said, _ = process.communicate(timeout=250)
    assert (int(said), process.returncode) == (process.pid, 7)


@pytest.mark.parametrize(
    ("told", "code", "says"),
    [
        ((), 2, "say which program to run"),
        (("no-such-program",), 127, "no such program"),
        ((__file__,), 126, "spanward run python FILE"),
        (("--guards", "perhaps", "true"), 2, "invalid choice"),
    ],
)
def test_what_cannot_be_run_is_said(tmp_path: Path, told: tuple[str, ...], code: int, says: str) -> None:
    ended = run(*told, spool=tmp_path)
    assert (ended.returncode, says in ended.stderr) == (code, True), ended.stderr


def test_a_program_is_traced_and_so_are_those_that_it_starts(tmp_path: Path) -> None:
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {TRACED!r}]); {TRACED}"
    ended = run(sys.executable, "-c", outer, spool=tmp_path)
    assert (ended.stdout.split("\n")[:2], ended.stderr) == (["traced True", "traced True"], "")


def test_nothing_is_started_in_a_program_that_needs_nothing_of_us(tmp_path: Path) -> None:
    names = "'opentelemetry', 'wrapt', 'spanward.tracer.instrument', 'spanward.tracer.adapter'"
    ended = run(sys.executable, "-c", f"import sys, json; print({{{names}}} & set(sys.modules))", spool=tmp_path)
    assert (ended.stdout, ended.stderr) == ("set()\n", "")


def test_the_plain_wheel_is_enough() -> None:
    """Nothing but the standard library is needed to start a program."""
    program = """
import sys
class Bare:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in {*sys.stdlib_module_names, "spanward"} and not name.startswith("__editable__"):
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Bare())
from spanward.collector.cli import main
main(["run", "echo", "ran"])
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=250, check=False)
    assert (ended.stdout, ended.stderr) == ("ran\n", "")


@pytest.mark.parametrize("fails", [False, True])
def test_another_sitecustomize_runs_as_without_us(tmp_path: Path, *, fails: bool) -> None:
    (tmp_path / "sitecustomize.py").write_text("theirs = 'theirs'\n" + ("raise OSError('theirs')" if fails else ""))
    code = "print('ran')" if fails else f"{SHOWN}; {TRACED}"
    ended = run(sys.executable, "-c", code, spool=tmp_path / "spool", PYTHONPATH=str(tmp_path))
    alone = subprocess.run(
        [sys.executable, "-c", "print('ran')"],
        env=clean_environment(PYTHONPATH=str(tmp_path)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == ("ran\n" if fails else "theirs\ntraced True\n")
    assert ended.stderr == 2 * alone.stderr, "once in the command itself, once in the program"
    assert ("OSError: theirs" in alone.stderr) is fails


def test_an_interpreter_without_us_runs_and_says_so_once(tmp_path: Path) -> None:
    venv.create(tmp_path / "v", with_pip=False, symlinks=True)
    python = tmp_path / "v" / "bin" / "python"
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1)']); sys.exit(5)"
    ended = run(python, "-c", code, spool=tmp_path / "spool")
    assert (ended.returncode, ended.stdout) == (5, "1\n")
    assert ended.stderr == (
        f"spanward: nothing is traced in this program: it is not installed for {python}: "
        f"{python} -m pip install spanward\n"
    )


def test_a_wrong_setting_does_not_stop_the_program(tmp_path: Path) -> None:
    told = ["--guards", "local", "--policy", str(tmp_path / "none.yaml")]
    ended = run(
        *told, sys.executable, "-c", f"{TRACED}; sys.exit(3)".replace("import", "import sys,", 1), spool=tmp_path
    )
    assert (ended.returncode, ended.stdout) == (3, "traced False\n")
    assert ended.stderr.startswith("spanward: nothing is traced in this program: PolicyError: ")
    assert ended.stderr.count("\n") == 1


OPENTELEMETRY = Path(sys.executable).parent / "opentelemetry-instrument"
QUIET = {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")}
BOTH = f"import sys; print('opentelemetry.instrumentation.auto_instrumentation' in sys.modules); {TRACED}"


@pytest.mark.skipif(not OPENTELEMETRY.exists(), reason="opentelemetry-instrument is not installed")
def test_beside_opentelemetrys_own_start(tmp_path: Path) -> None:
    """Before it, its `sitecustomize` is one that ours runs; after it, its entry point for afterwards calls us."""
    command = [str(OPENTELEMETRY), *SPANWARD, "run", "--endpoint", NOWHERE, "--guards", "off"]
    first = subprocess.run(
        [*command, "--spool", str(tmp_path), sys.executable, "-c", BOTH],
        env=clean_environment(**QUIET),
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert first.stdout == "True\ntraced True\n", first.stderr
    installed = tmp_path / "site" / "spanward_entry-1.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: spanward-entry\nVersion: 1\n")
    (installed / "entry_points.txt").write_text(
        "[opentelemetry_post_instrument]\nspanward_entry = spanward.tracer.automatic:after_opentelemetry\n"
    )
    also = {**QUIET, "PYTHONPATH": str(installed.parent)}
    after = run(OPENTELEMETRY, sys.executable, "-c", BOTH, spool=tmp_path, **also)
    assert after.stdout == "True\ntraced True\n", after.stderr
    alone = subprocess.run(
        [OPENTELEMETRY, sys.executable, "-c", BOTH],
        env=clean_environment(**also),
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert alone.stdout == "True\ntraced False\n", "only what `spanward run` started is traced"
