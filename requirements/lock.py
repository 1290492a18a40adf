"""``make lock``: resolve pyproject.toml anew into the three lock files beside this script.

``cpu.lock`` and ``cuda.lock`` are complete sets: the project's dependencies, one build of vLLM,
the embedded models and the build backend. ``dev.lock`` is what the development tools need on top
of either. Each is a plain list of ``name==version``, installed by ``cluster/bootstrap.py`` with
``pip install --no-deps``: no hashes and no addresses, so any mirror of PyPI will do.

Run with Python 3.11 on Linux x86-64. pip resolves in an empty environment, without installing
anything (``--dry-run --report``); this takes some minutes.
"""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
PROJECT = FOLDER.parent / "pyproject.toml"
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"

LEFT_OUT_ON_CPU = {
    "torchvision": "PyPI's is a CUDA build; beside torch+cpu it breaks `import transformers`",
    "torchaudio": "likewise",
    "torchcodec": "likewise",
    "triton": "compiles for GPUs only; 1 GB that vLLM does without on a CPU",
}
# Requirements that ask for them do so on this machine type only, and pip's report has no markers.
X86_64_ONLY = {"intel-openmp", "intel-cmplr-lib-ur"}

Versions = dict[str, str]


def main() -> None:
    if sys.version_info[:2] != (3, 11):
        sys.exit("The lock files are made for Python 3.11: make lock PYTHON3=python3.11")
    pyproject: dict[str, Any] = tomllib.loads(PROJECT.read_text())
    project = pyproject["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]
    runtime: list[str] = project["dependencies"] + pyproject["build-system"]["requires"]
    dev_tools: list[str] = pyproject["dependency-groups"]["dev"]
    # Packages used as files only: what they ask for is neither needed nor wanted.
    models = dict(one.split("==") for one in extras["models"])

    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        cpu = resolve(Path(folder), [*runtime, *extras["cpu"]])
        cuda = resolve(Path(folder), [*runtime, *extras["cuda"]])
        tools = resolve(Path(folder), [*runtime, *extras["cpu"], *dev_tools], keep=cpu)

    left_out = "".join(f"#   {name}: {why}\n" for name, why in LEFT_OUT_ON_CPU.items())
    for name in LEFT_OUT_ON_CPU:
        cpu.pop(name, None)
        tools.pop(name, None)
    write("cpu", cpu | models, f"# With vLLM's CPU build. Left out on purpose:\n{left_out}")
    write("cuda", cuda | models, "# With vLLM's CUDA build, for machines with an NVIDIA GPU.\n")
    dev = {name: version for name, version in tools.items() if name not in cpu}
    write("dev", dev, "# What tests and checks need on top of cpu.lock or cuda.lock.\n")
    if clash := {name for name in dev if cuda.get(name, dev[name]) != dev[name]}:
        sys.exit(f"dev.lock and cuda.lock disagree about {', '.join(sorted(clash))}.")


def resolve(scratch: Path, requirements: list[str], keep: Versions | None = None) -> Versions:
    """What pip would install into an empty environment; ``keep`` are versions already chosen."""
    report, constraints = scratch / "report.json", scratch / "constraints.txt"
    constraints.write_text("".join(f"{name}=={v}\n" for name, v in (keep or {}).items()))
    command = [str(scratch / "bin" / "python"), "-m", "pip", "install", "--dry-run", "--quiet"]
    command += ["--report", str(report), "--constraint", str(constraints), *requirements]
    # PyTorch's CPU build is not on PyPI; a machine may have it from a mirror or on its disk.
    elsewhere = [*command, "--extra-index-url", TORCH_CPU_INDEX]
    if subprocess.run(command, check=False).returncode:
        subprocess.run(elsewhere, check=True)
    installed: list[dict[str, Any]] = json.loads(report.read_text())["install"]
    return {normal(one["metadata"]["name"]): one["metadata"]["version"] for one in installed}


def normal(name: str) -> str:
    """A distribution's name as every tool compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def write(name: str, versions: Versions, head: str) -> None:
    lines = [
        f"{package}=={version}"
        + ('; platform_machine == "x86_64"' if package in X86_64_ONLY else "")
        for package, version in sorted(versions.items())
    ]
    made = "# Made by `make lock` for Python 3.11; installed with `pip install --no-deps -r`.\n"
    (FOLDER / f"{name}.lock").write_text(head + made + "\n".join(lines) + "\n")
    print(f"{name}.lock: {len(lines)} packages")


if __name__ == "__main__":
    main()
