"""`pip install -e . pytest && pytest`"""

import pytest
from order_numbers import OrderNumberOptions, OrderNumbers, check_digits
from pydantic import ValidationError

from spanward.guards.conformance import check_detector

NUMBER = "20260042"
RIGHT = f"ORD-{NUMBER}-{check_digits(NUMBER)}"


def test_it_keeps_what_every_detector_promises() -> None:
    options = OrderNumberOptions()
    check_detector(
        OrderNumbers(options),
        options=options,
        hits=[(f"Where is {RIGHT}?", "ORDER_NUMBER", RIGHT), (f"({RIGHT})", "ORDER_NUMBER", RIGHT)],
        misses=[f"ORD-{NUMBER}-00", f"X{RIGHT}", "ORD-12-34", "an order number"],
    )


def test_another_prefix() -> None:
    options = OrderNumberOptions(prefix="INV")
    invoice = RIGHT.replace("ORD", "INV")
    check_detector(OrderNumbers(options), options=options, hits=[(invoice, "ORDER_NUMBER")], misses=[RIGHT])


def test_a_prefix_is_letters() -> None:
    with pytest.raises(ValidationError):
        OrderNumberOptions(prefix="(a+)+")
