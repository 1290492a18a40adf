"""Alembic's entry point: run the migrations over one connection, in one transaction."""

from alembic import context
from sqlalchemy import create_engine, pool

url = context.config.get_main_option("sqlalchemy.url")
assert url is not None
with create_engine(url, poolclass=pool.NullPool).connect() as connection:
    # Batch mode: SQLite cannot alter a column in place.
    context.configure(connection=connection, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
