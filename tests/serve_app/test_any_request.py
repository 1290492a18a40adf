"""Whatever is sent, the service does not fail: requests made up from its own description."""

from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance


@pytest.fixture
def described(client: TestClient, benchmark_id: str) -> Any:
    """The application over a database with one dataset and one benchmark."""
    return schemathesis.openapi.from_asgi("/openapi.json", client.app)


# Uploads are left out: made-up bytes are never a form. tests/serve_app/test_upload_route.py has
# them, and tests/jobs/test_lines_properties.py sends arbitrary lines.
schema = schemathesis.pytest.from_fixture("described").exclude(path_regex="upload$")


@schema.parametrize()
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_request_makes_the_service_fail(case: schemathesis.Case) -> None:
    case.call_and_validate(checks=[not_a_server_error, response_schema_conformance])
