"""What a service starts before anybody asks for a benchmark."""

import subprocess
import sys
import tempfile

from cluster.settings import REPOSITORY

_SCRIPT = """
import time
import ray
from jobs import warmup

ray.init(address="local", num_cpus=1, include_dashboard=False, _temp_dir="{folder}")
before = {{one["name"] for one in ray.util.list_named_actors(all_namespaces=True)}}
warmup.begin()
wanted = {{"datasets_stats_actor", "AutoscalingCoordinator", "ActorLocationTracker"}}
deadline = time.monotonic() + 120
while time.monotonic() < deadline:
    found = {{one["name"] for one in ray.util.list_named_actors(all_namespaces=True)}}
    if wanted <= found:
        break
    time.sleep(0.2)
print(sorted(before), sorted(wanted - found), ray.available_resources()["CPU"])
"""


def test_ray_datas_own_actors_are_started_and_take_no_cpu() -> None:
    with tempfile.TemporaryDirectory(prefix="br-", dir="/tmp") as folder:
        done = subprocess.run(
            [sys.executable, "-c", _SCRIPT.format(folder=folder)],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=180,
            check=True,
        )
    assert done.stdout.splitlines()[-1] == "[] [] 1.0"
