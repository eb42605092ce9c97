"""What Grafana puts into the slots of `measures`: macros of its ClickHouse data source, and variables of the board."""

VARIABLES = ("service", "env", "model")
INTERVAL = "$__timeInterval(second)"


def where(time: str, variables: tuple[str, ...] = VARIABLES) -> str:
    """`time` is the column that the board's range is put on; a variable that chooses everything asks for nothing."""
    chosen = (f"$__conditionalAll({name} IN (${{{name}:singlequote}}), ${name})" for name in variables)
    return " AND ".join((f"$__timeFilter({time})", *chosen))


MINUTES = where("t")
CALLS = where("ts")
GUARD_MINUTES = where("t", ("service", "env"))
DRIFT_HOURS = GUARD_MINUTES
