"""Errors under ``/v1`` as OpenAI's clients know them: ``{"error": {message, type, param, code}}``.

The client picks its exception by the status and reads the rest from the body.
"""

from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from jobs.schemas.openai import OpenAIError, OpenAIProblem

RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": OpenAIError, "description": "What is wrong, as OpenAI says it"}
}

NO_ROUTE = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
_NOT_OFFERED = {
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/responses",
    "/v1/moderations",
}
# By pydantic's type of error.
_EXPECTED = {
    "string": "a string",
    "int": "an integer",
    "dict": "an object",
    "model": "an object",
    "list": "an array",
}
_NAMES = {
    bool: "a boolean",
    str: "a string",
    int: "an integer",
    float: "a decimal",
    dict: "an object",
    list: "an array",
    type(None): "null",
}


def covers(request: Request) -> bool:
    """Whether the request is for the OpenAI API."""
    return request.url.path == "/v1" or request.url.path.startswith("/v1/")


def response(status: int, code: str | None, message: str, param: str | None = None) -> JSONResponse:
    problem = OpenAIProblem(message=message, type=_type(status), param=param, code=code)
    answer = JSONResponse(OpenAIError(error=problem).model_dump(), status_code=status)
    if status == HTTPStatus.CONFLICT:
        # The client would ask again, as for a lock; what is in conflict here stays so.
        answer.headers["x-should-retry"] = "false"
    return answer


def no_route(request: Request, status: int) -> JSONResponse:
    """The answer where no route is."""
    called = f"{request.method} {request.url.path}"
    if request.url.path in _NOT_OFFERED:
        message = (
            f"{called} is not offered: this service answers no single requests. Put them into a "
            "file (POST /v1/files) and run it as a batch (POST /v1/batches)."
        )
        return response(HTTPStatus.NOT_FOUND, "not_offered", message)
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return response(status, "method_not_allowed", f"Not allowed: {called}.")
    message = f"Unknown request URL: {called}. Please check the URL for typos."
    return response(status, "unknown_url", message)


def invalid(error: RequestValidationError) -> JSONResponse:
    """The answer to parameters that are not right: the first that is not."""
    first: dict[str, Any] = error.errors()[0]
    code, message, param = _described(first)
    return response(HTTPStatus.BAD_REQUEST, code, message, param)


def _type(status: int) -> str:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "rate_limit_error"
    return "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"


def _described(error: dict[str, Any]) -> tuple[str | None, str, str | None]:
    """Code, message and parameter, in OpenAI's words, of one of pydantic's errors."""
    kind: str = error["type"]
    given = error.get("input")
    limits: dict[str, Any] = error.get("ctx", {})
    param = ".".join(str(part) for part in error["loc"][1:] if part != "[key]") or None
    if kind == "json_invalid":
        return None, "We could not parse the JSON body of your request.", None
    if kind == "missing":
        what = f"parameter: '{param}'" if param else "JSON body"
        return "missing_required_parameter", f"Missing required {what}.", param
    if kind == "extra_forbidden":
        return "unknown_parameter", f"Unknown parameter: '{param}'.", param
    if kind in ("enum", "literal_error"):
        message = f"Invalid value: '{given}'. Supported values are: {limits['expected']}."
        return "invalid_value", message, param
    if kind == "greater_than_equal":
        return ("integer_below_min_value", *_out_of_bounds(param, "below minimum", ">=", error))
    if kind == "less_than_equal":
        return ("integer_above_max_value", *_out_of_bounds(param, "above maximum", "<=", error))
    expected = _EXPECTED.get(kind.split("_", maxsplit=1)[0])
    if expected and kind.endswith(("_type", "_parsing", "_from_float")):
        got = _NAMES.get(type(given), type(given).__name__)
        message = f"Invalid type for '{param}': expected {expected}, but got {got} instead."
        return "invalid_type", message, param
    return "invalid_value", f"Invalid '{param}': {error['msg']}.", param


def _out_of_bounds(
    param: str | None, which: str, sign: str, error: dict[str, Any]
) -> tuple[str, str | None]:
    (bound,) = error["ctx"].values()
    message = (
        f"Invalid '{param}': integer {which} value. "
        f"Expected a value {sign} {bound}, but got {error['input']} instead."
    )
    return message, param
