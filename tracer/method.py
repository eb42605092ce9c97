"""What stands in the place of a library's method: to the application the method itself, also when it is copied.

wrapt's own wrappers refuse to be copied and pickled; functions and methods do not. Applications hand them to pools of
processes, and copy objects that hold them. In another process the name is looked up, with us there or without.
"""

import copy
import pkgutil
from typing import Any, Self

import wrapt


def _by_name(method: Any) -> tuple[Any, ...]:
    return pkgutil.resolve_name, (f"{method.__module__}:{method.__qualname__}",)


class BoundMethod(wrapt.BoundFunctionWrapper):  # type: ignore[type-arg]  # older versions of wrapt are not generic
    """A method of an object, or (without one) as it was taken from its class."""

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        instance = self._self_instance
        return self if instance is None else getattr(copy.deepcopy(instance, memo), self.__name__)

    def __reduce__(self) -> tuple[Any, ...]:
        instance = self._self_instance
        return _by_name(self) if instance is None else (getattr, (instance, self.__name__))

    def __reduce_ex__(self, _: Any) -> tuple[Any, ...]:
        return self.__reduce__()


class Method(wrapt.FunctionWrapper):  # type: ignore[type-arg]  # as above
    """A method in its class, or a function in its module."""

    __bound_function_wrapper__ = BoundMethod

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _by_name(self)

    def __reduce_ex__(self, _: Any) -> tuple[Any, ...]:
        return self.__reduce__()
