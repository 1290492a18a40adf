"""Write ``docs/openapi.json``, or with ``--check`` fail if it is not what the code says."""

import json
import sys

from cluster.settings import REPOSITORY
from serve_app.app import create_app

FILE = REPOSITORY / "docs" / "openapi.json"


def main() -> int:
    current = json.dumps(create_app().openapi(), indent=2, ensure_ascii=False) + "\n"
    if "--check" not in sys.argv:
        FILE.write_text(current)
    elif not FILE.exists() or FILE.read_text() != current:
        print(f"{FILE.name} is not up to date: run `make format`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
