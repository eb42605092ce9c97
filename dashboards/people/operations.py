"""Operations of the API: see the folder's own modules for what they ask."""

from ..api.operation import Operation

OPERATIONS: tuple[Operation, ...] = ()
