"""An upload takes the same memory whatever the size of the file."""

import subprocess
import sys

import pytest

# In a process of its own, because the peak of a process never goes down.
CODE = """
import resource, sys
from cluster.database import migrate
from jobs.uploads import Upload

def upload(megabytes):
    with Upload("big.jsonl") as opened:
        for i in range(megabytes):
            opened.feed(b"".join(
                b'{"custom_id": "r-%d-%d", "method": "POST", "url": "/v1/completions", "body": '
                b'{"prompt": "%s"}}\\n' % (i, j, b"word " * 180)
                for j in range(1024)
            ))
        opened.finish()

migrate()
upload(int(sys.argv[1]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak(megabytes: int) -> int:
    command = [sys.executable, "-c", CODE, str(megabytes)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.usefixtures("data_folder")
def test_four_times_the_file_takes_no_more_memory() -> None:
    # Were the file held in memory, the 60 MB more of it would be a quarter more.
    assert peak(80) < 1.1 * peak(20)
