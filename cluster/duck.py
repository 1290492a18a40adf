"""DuckDB in memory, which must not take the memory that an engine on the same machine needs."""

import duckdb

from cluster.settings import settings

# Sorts and joins beyond this spill to disk. A join of 2 x 100,000 results fits.
_MEMORY = "1GB"


def instance() -> duckdb.DuckDBPyConnection:
    """An empty database."""
    db = duckdb.connect()
    db.execute("SET memory_limit = $1", [_MEMORY])
    db.execute("SET temp_directory = $1", [str(settings().data_folder / "scratch")])
    return db
