"""DuckDB in memory, which must not take the memory that an engine on the same machine needs.

It is imported when it is needed: drivers and replicas have storage, and no queries.
"""

from typing import TYPE_CHECKING

from cluster.settings import settings

if TYPE_CHECKING:
    import duckdb

# Sorts and joins beyond this spill to disk. A join of 2 x 100,000 results fits.
_MEMORY = "1GB"


def instance() -> "duckdb.DuckDBPyConnection":
    """An empty database."""
    import duckdb

    db = duckdb.connect()
    db.execute("SET memory_limit = $1", [_MEMORY])
    db.execute("SET temp_directory = $1", [str(settings().data_folder / "scratch")])
    return db
