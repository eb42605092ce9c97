"""What a list of calls can be sorted by; time, then the ids, decide between equals."""

from dataclasses import dataclass

from .view import BadView


@dataclass(frozen=True, slots=True)
class Sort:
    """`value` is never NULL and of the type `kind`. `column` is the same as the table has an index of it, of
    `column_kind`: ClickHouse finds the largest by that, those of another expression by reading all.
    """

    value: str
    kind: str
    column: str
    column_kind: str


SORTS = {
    "time": Sort("toUnixTimestamp64Micro(ts)", "Int64", "ts", "DateTime64(6)"),
    "latency": Sort("toFloat64(latency_ms)", "Float64", "latency_ms", "Float32"),
    "ttft": Sort("toFloat64(ttft_ms)", "Float64", "ttft_ms", "Float32"),
    "cost": Sort("ifNull(cost_usd, -1)", "Float64", "toFloat64(ifNull(cost_usd, -1))", "Float64"),
    "tokens": Sort("toInt64(input_tokens) + output_tokens", "Int64", "input_tokens + output_tokens", "UInt64"),
    "input": Sort("toInt64(input_tokens)", "Int64", "input_tokens", "UInt32"),
    "output": Sort("toInt64(output_tokens)", "Int64", "output_tokens", "UInt32"),
}


@dataclass(frozen=True, slots=True)
class Order:
    """`sort` is a key of `SORTS`; `down`: the largest (newest) first."""

    sort: str = "time"
    down: bool = True

    def sql(self, *, back: bool = False) -> str:
        """What stands after ORDER BY; `back` reads the list from its end."""
        first = () if self.sort == "time" else (SORTS[self.sort].value,)
        direction = "DESC" if self.down != back else "ASC"
        return ", ".join(f"{key} {direction}" for key in (*first, "ts", "trace_id", "span_id"))

    def beyond(self, *, back: bool = False) -> str:
        """The condition that a row comes after (`back`: before) the one the `at_` parameters name."""
        told = SORTS[self.sort]
        comparison = "<" if self.down != back else ">"
        at = f"{{at_value:{told.kind}}}, {{at_us:Int64}}, {{at_trace:String}}, {{at_span:String}}"
        here = f"{told.value}, toUnixTimestamp64Micro(ts), trace_id, span_id"
        # the first is said once more for itself: an index tells by it where there is nothing to look at
        return f"{told.value} {comparison}= {{at_value:{told.kind}}} AND ({here}) {comparison} ({at})"


def order(text: str) -> Order:
    """`latency` (ascending) or `-latency` (descending) as an `Order`; empty is the newest first."""
    sort = text.removeprefix("-") or "time"
    if sort not in SORTS:
        raise BadView(
            f"sort={text!r} is unknown: take one of {', '.join(SORTS)}, with - before it for the largest first"
        )
    return Order(sort, down=not text or text.startswith("-"))
