"""Figures of rules in words, for notifications."""

from .metrics import Unit

_FORMATS: dict[Unit, str] = {
    "count": "{:,.0f}",
    "per_minute": "{:,.4g} a minute",
    "usd_per_hour": "${:,.2f} an hour",
    "minutes": "{:,.0f} min",
    "seconds": "{:,.1f} s",
    "times": "{:.2f}",
    "effect": "{:.3g}",
}


def said(value: float | None, unit: Unit) -> str:
    if value is None:
        return "nothing measured"
    if unit == "share":
        return f"{value * 100:.3g} %"
    if unit == "ms":
        return f"{value / 1000:,.2f} s" if value >= 1000 else f"{value:,.0f} ms"
    if unit == "bytes":
        return f"{value / 2**20:,.1f} MiB"
    return _FORMATS[unit].format(value)
