"""Structured logs: readable lines with the benchmark id where one is bound, none with a secret.

structlog's lines and those of libraries end alike: what looks like a secret is taken out last, so
that an exception's text cannot carry one either.
"""

import logging
import re
from typing import Any

import structlog

_SECRETS = (
    re.compile(r"\bbr_[A-Za-z0-9_-]{8}(?P<hidden>[A-Za-z0-9_-]{8,})"),  # an API key, but its prefix
    re.compile(r"://[^/\s:@]*:(?P<hidden>[^/\s@]+)@"),  # the password of a database's URL
    re.compile(r"(?i)\bbearer\s+(?P<hidden>[^\s\"',]+)"),
    # Of an object store: key ids, signatures and tokens in URLs and answers, settings printed.
    re.compile(r"\bA(?:KIA|SIA)(?P<hidden>[A-Z0-9]{12,})"),
    re.compile(r"(?i)\bX-Amz-(?:Credential|Signature|Security-Token)=(?P<hidden>[^&\s\"'<>]+)"),
    re.compile(
        r"(?i)\b(?:aws_)?(?:secret_access_key|session_token)[\"']?\s*[=:]\s*[\"']?"
        r"(?P<hidden>[^\s\"',}]+)"
    ),
    re.compile(r"<AWSAccessKeyId>(?P<hidden>[^<]+)<"),
)

_values: dict[str, str] = {}


def configure_logs() -> None:
    """Set this process up to log to standard output, where Ray keeps it per worker and job."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # One line per call of an in-process engine or of the jobs API helps nobody.
    for chatty in ("httpx", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _with_values,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
            _without_secrets,
        ],
    )


def always(**values: str) -> None:
    """Have every line of this process say ``values``, in whichever thread or task it is written,
    as what a process of one benchmark logs is about that benchmark."""
    _values.update(values)


def _with_values(_logger: Any, _method: str, event: Any) -> Any:
    return _values | event


def hide(text: str) -> str:
    """``text`` without what looks like an API key, a token or a password."""
    for secret in _SECRETS:
        text = secret.sub(lambda found: found[0].replace(found["hidden"], "…"), text)
    return text


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        said = "".join(f" {name}={value}" for name, value in _values.items())
        return hide(super().format(record) + said)


def _without_secrets(_logger: Any, _method: str, line: Any) -> str:
    return hide(line)
