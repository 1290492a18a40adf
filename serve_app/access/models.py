"""The SQL tables of access: keys, logins, audit log. None of them holds a secret."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from jobs.models import Base


class KeyRow(Base):
    """An API key. What a client sends is not kept: only its digest (docs/decisions/0010)."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    """Never used again, also when the key is revoked: it says who in the audit log and on marks."""
    prefix: Mapped[str] = mapped_column(String(16))
    """How the secret begins, by which people recognize it."""
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 of the secret, hexadecimal."""
    scope: Mapped[str] = mapped_column(String(16))
    """A :class:`serve_app.access.scopes.Scope`."""
    requests_per_second: Mapped[float | None]
    max_body_bytes: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(server_default=func.current_timestamp())
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class LoginRow(Base):
    """A browser in which somebody has logged in with a key."""

    __tablename__ = "logins"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the cookie's value, hexadecimal."""
    key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.current_timestamp())
    expires_at: Mapped[datetime]

    key: Mapped[KeyRow] = relationship(lazy="joined", innerjoin=True)


class AuditRow(Base):
    """A call, or several of the same kind that only read."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_key_id_id", "key_id", "id"),)

    # SQLite counts up only what it calls INTEGER.
    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    at: Mapped[datetime] = mapped_column(index=True)
    key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id"))
    method: Mapped[str] = mapped_column(String(16))
    path: Mapped[str]
    """Without the query, which may hold what somebody searches for."""
    status: Mapped[int]
    count: Mapped[int] = mapped_column(server_default="1", default=1)

    key: Mapped[KeyRow] = relationship(lazy="joined", innerjoin=True)
