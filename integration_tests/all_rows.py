"""All rows of the request matrix, in the order in which they run."""
from __future__ import annotations

from matrix import MATRIX
from matrix_auth import AUTH, ORIGINS
from matrix_fates import FATES
from matrix_order import NO_ECHO, ORDER
from matrix_quotas import TOLD
from matrix_sizes import EDGES

ALL_ROWS = [*MATRIX, *AUTH, *ORIGINS, *ORDER, *NO_ECHO, *EDGES, *TOLD, *FATES]
assert len({c.name for c in ALL_ROWS}) == len(ALL_ROWS), "two rows with one name"
