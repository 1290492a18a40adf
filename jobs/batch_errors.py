"""What is wrong with a line of a batch's file, in OpenAI's words.

The codes are those that OpenAI's own service was seen to answer with; the messages say more.
"""

from jobs.schemas.openai import BatchError
from jobs.schemas.requests import LineError

_NOT_JSON = "This line is not parseable as valid JSON."
_DUPLICATE = (
    "The custom_id for this request is a duplicate of another request. The custom_id parameter "
    "must be unique for each request in a batch."
)
URL_MISMATCH = "The URL provided for this request does not match the batch endpoint."

# By the code of the dataset's own error. What is not here cannot be read as JSON.
_CODES = {
    "missing_custom_id": "missing_required_parameter",
    "missing_method": "missing_required_parameter",
    "missing_url": "missing_required_parameter",
    "missing_body": "missing_required_parameter",
    "duplicate_custom_id": "duplicate_custom_id",
    "invalid_custom_id": "invalid_custom_id",
    "custom_id_too_long": "invalid_custom_id",
    "wrong_method": "invalid_method",
    "unsupported_url": "invalid_url",
    "invalid_body": "invalid_request",
    "empty_messages": "invalid_request",
    "invalid_message": "invalid_request",
    "missing_prompt": "invalid_request",
    "missing_input": "invalid_request",
}


def of_line(error: LineError) -> BatchError:
    """A dataset's error as OpenAI's."""
    code = _CODES.get(error.code, "invalid_json_line")
    return BatchError(code=code, message=_message(code, error), param=error.field, line=error.line)


def _message(code: str, error: LineError) -> str:
    match code:
        case "missing_required_parameter":
            return f"Missing required parameter: '{error.field}'."
        case "duplicate_custom_id":
            return f"{_DUPLICATE} {error.message}"
        case "invalid_url":
            return f"{URL_MISMATCH} {error.message}"
        case "invalid_json_line":
            return f"{_NOT_JSON} {error.message}"
        case _:
            return error.message


def of_batch(code: str, message: str, param: str | None = None) -> BatchError:
    """An error of no line."""
    return BatchError(code=code, message=message, param=param, line=None)
