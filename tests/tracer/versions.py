"""What the installed version of a library can be asked: `make matrix` runs the same tests with old ones."""

import functools
import importlib.metadata
import re


def at_least(distribution: str, version: str) -> bool:
    """Whether a library is installed in this version or a newer one; of one that is not installed, yes."""
    try:
        installed = importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return True
    return _numbers(installed) >= _numbers(version)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


@functools.cache
def bedrock_takes(shape: str, member: str) -> bool:
    """Whether this botocore's description of `bedrock-runtime` knows a member of a shape; without botocore, yes."""
    try:
        from botocore.session import get_session
    except ImportError:
        return True
    return member in get_session().get_service_model("bedrock-runtime").shape_for(shape).members
