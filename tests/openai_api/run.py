"""Run every check with the client that is installed: ``python -m openai_api.run URL URL``.

A process of its own, because a process has one version of a package. Prints one JSON object: the
client's version, and for each check what went wrong, or null.
"""

import json
import sys
import traceback

import openai
from openai_api.check import Api, Services
from openai_api.checks import CHECKS


def main() -> None:
    usual, strict = sys.argv[1:]
    services = Services(Api(usual), Api(strict))
    outcomes: dict[str, str | None] = {}
    for check in CHECKS:
        try:
            check.body(services)
        except Exception:
            outcomes[check.sentence] = traceback.format_exc()
        else:
            outcomes[check.sentence] = None
    json.dump({"version": openai.__version__, "outcomes": outcomes}, sys.stdout)


if __name__ == "__main__":
    main()
