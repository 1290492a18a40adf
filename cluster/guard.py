"""Ends the session of a launcher that was killed: ``python -m cluster.guard SESSION_FILE``.

The launcher holds the other end of this process's standard input. When that closes, whatever ended
the launcher, nothing may be left running.
"""

import shutil
import sys
from pathlib import Path

from cluster.session import Session, end


def main(session_file: Path) -> None:
    """Wait for the launcher's end, then end what it has left."""
    session = Session.model_validate_json(session_file.read_text())
    sys.stdin.buffer.read()
    end(session)
    shutil.rmtree(session.ray_folder, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
