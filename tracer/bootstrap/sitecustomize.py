"""What an interpreter started by `spanward run` does before the program: see to it that model calls are traced.

Any Python 3 can be asked to read this file, also one where spanward is not installed. It takes the place of another
`sitecustomize` (the distribution's, OpenTelemetry's), so it runs that first.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  before anything is imported
SAID = "SPANWARD_RUN_SAID"


def shadowed() -> None:
    """Run the `sitecustomize` that would have been found without us, and leave it in our place."""
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    elsewhere = [place for place in sys.path if os.path.abspath(place) != HERE]  # noqa: PTH100  as above
    spec = PathFinder.find_spec("sitecustomize", elsewhere)
    if spec is None or spec.loader is None:
        return
    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


def traced() -> None:
    """Never in the way of the program: what goes wrong is one line on stderr, in the first process it happens to."""
    try:
        from spanward.tracer.automatic import arm  # absolute: this file is not imported as a part of the package

        arm()
    except Exception as error:  # noqa: BLE001  whatever it is, the program runs
        if os.environ.get(SAID):
            return
        os.environ[SAID] = "1"
        missing = isinstance(error, ImportError) and str(error.name).partition(".")[0] == "spanward"
        why = "it is not installed for {0}: {0} -m pip install spanward".format(sys.executable)  # noqa: UP032  old ones
        says = why if missing else "{}: {}".format(type(error).__name__, error)  # noqa: UP032  as above
        sys.stderr.write("spanward: nothing is traced in this program: " + says + "\n")


try:
    shadowed()
finally:
    traced()
