"""What came of the cases of a policy, for people, for programs, and for the test page of a CI."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TextIO
from xml.etree import ElementTree as ET

_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class CaseResult:
    """`differences` are lines of a diff, expected against what came; none if the case holds."""

    name: str
    line: int
    differences: tuple[str, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        return not self.differences


@dataclass(frozen=True, slots=True)
class FileResult:
    """The cases of one file, with the policy that they were put to."""

    file: str
    policy_file: str
    policy: str
    hash: str
    degraded: tuple[str, ...]
    cases: tuple[CaseResult, ...]

    @property
    def failed(self) -> int:
        return sum(not case.passed for case in self.cases)


def write_text(results: Sequence[FileResult], out: TextIO) -> None:
    for result in results:
        out.write(f"{result.file} against {result.policy} {result.hash} ({result.policy_file})\n")
        out.writelines(f"  less than full: {clause}\n" for clause in result.degraded)
        for case in result.cases:
            out.write(f"  {'pass' if case.passed else 'FAIL'}  {case.name}")
            out.write("\n" if case.passed else f"  ({result.file}:{case.line})\n        - expected  + came\n")
            out.writelines(f"        {line}\n" for line in case.differences)
    every = [case for result in results for case in result.cases]
    failed = sum(result.failed for result in results)
    out.write(f"{len(every)} cases, {len(every) - failed} passed, {failed} failed\n")


def write_json(results: Sequence[FileResult], out: TextIO) -> None:
    told = [
        asdict(result)
        | {"failed": result.failed, "cases": [asdict(case) | {"passed": case.passed} for case in result.cases]}
        for result in results
    ]
    json.dump(told, out, ensure_ascii=False, indent=1)
    out.write("\n")


def write_junit(results: Sequence[FileResult], out: TextIO) -> None:
    """The XML that CI systems read: a suite a file."""
    root = ET.Element("testsuites")
    for result in results:
        suite = ET.SubElement(
            root, "testsuite", name=_xml(result.file), tests=str(len(result.cases)), failures=str(result.failed),
            errors="0", time=f"{sum(case.seconds for case in result.cases):.3f}",
        )  # fmt: skip
        for case in result.cases:
            element = ET.SubElement(
                suite, "testcase", name=_xml(case.name), classname=_xml(result.policy), file=_xml(result.file),
                line=str(case.line), time=f"{case.seconds:.3f}",
            )  # fmt: skip
            if not case.passed:
                failure = ET.SubElement(element, "failure", message=f"not as expected under {result.hash}")
                failure.text = _xml("\n".join(case.differences))
    ET.indent(root)
    out.write(ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n")


WRITERS: Mapping[str, Callable[[Sequence[FileResult], TextIO], None]] = {
    "text": write_text,
    "json": write_json,
    "junit": write_junit,
}


def _xml(text: str) -> str:
    """What no XML can hold is shown as a question mark."""
    return _NOT_IN_XML.sub("?", text)
