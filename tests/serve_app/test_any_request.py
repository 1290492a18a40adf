"""Whatever is sent, the service does not fail: requests made up from its own description."""

import pytest
import schemathesis
from factories import HERE, MODEL_ID
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from serve_app.app import create_app

# Made-up files are hardly ever datasets: test_upload_hostile.py damages good ones.
HOST = HERE.removeprefix("http://")
APP = create_app()
# Not asked over HTTP, as that needs a key here: settings are made for each test.
schema = schemathesis.openapi.from_dict(APP.openapi())
schema.app = APP
schema.location = "/openapi.json"
CHECKS = [
    not_a_server_error,
    response_schema_conformance,
    content_type_conformance,
    status_code_conformance,
]


# Each call is made of both databases and of both kinds of ids, but not of each with each.
@pytest.mark.parametrize(
    ("ids", "database"), [("made up", "sqlite"), ("real", "postgresql")], indirect=["database"]
)
@schema.parametrize()
@settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    # The examples of one operation share one database, on purpose.
    suppress_health_check=list(HealthCheck),
)
def test_no_request_makes_the_service_fail(
    case: schemathesis.Case, client: TestClient, dataset_id: str, benchmark_id: str, ids: str
) -> None:
    if ids == "real":
        real = {"dataset_id": dataset_id, "benchmark_id": benchmark_id, "model_id": MODEL_ID}
        for given in (case.path_parameters, case.query, case.body):
            if isinstance(given, dict):
                given |= {name: value for name, value in real.items() if name in given}
    # Not a measure of anything: the machine may be busy.
    case.call_and_validate(checks=CHECKS, headers={"host": HOST}, timeout=120)
