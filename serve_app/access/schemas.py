"""Records of access, as the API speaks them."""

from datetime import datetime

from pydantic import BaseModel, Field

from jobs.schemas.base import Id
from serve_app.access.scopes import Scope


class LoginRequest(BaseModel):
    """What the login page sends."""

    key: Id = Field(description="An API key.", examples=["br_…"])


class Me(BaseModel):
    """Who the caller is, and what answers."""

    name: str | None = Field(description="Of the key; none where the service asks for no key.")
    scope: Scope = Field(description="Each scope includes those before it.")
    logged_in: bool = Field(description="By a cookie, which logging out ends.")
    version: str = Field(description="Of the service.")


class AuditEntry(BaseModel):
    at: datetime
    key: str = Field(description="The key's name.")
    method: str
    path: str
    status: int
    count: int = Field(description="Calls of this kind within some seconds, if they only read.")


class AuditPage(BaseModel):
    entries: list[AuditEntry]
    total: int
