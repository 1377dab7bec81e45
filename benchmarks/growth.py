"""How the pipeline grows: `python -m benchmarks.growth FOLDER [--sizes 1000 10000 100000]`.

For each number of training clips it builds the pipeline with DVC in a repository of its own, stage by stage, and takes
the seconds and the peak memory of each stage, DVC's own included; then `dvc repro` with nothing to do. Test sets keep
their size. Training has one epoch. FOLDER gets a line of `growth.jsonl` for each stage; the same command goes on after
the last. It writes docs/growth.png. 100,000 clips take an hour on two cores, and 20 GB.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks.side_by_side import ROOT
from tests.miniature import environment, make_repository, set_params

STAGES = ("download", "balance", "synthesize", "spectrograms", "train", "evaluate")
NOTHING = "nothing to do"
PLOT = ROOT / "docs/growth.png"
CLASSES = 15


def peak_bytes(process: psutil.Process) -> int:
    """Return the resident memory of a process and those that it started, or 0 if it has ended."""
    try:
        return sum(each.memory_info().rss for each in (process, *process.children(recursive=True)))
    except psutil.NoSuchProcess:
        return 0


def measured(repository: Path, stage: str) -> dict[str, float]:
    """Run DVC for a stage that must run, or for all where nothing has to; return seconds and peak MiB."""
    command = ["repro", "--single-item", "--force", stage] if stage in STAGES else ["repro"]
    start, peak = time.perf_counter(), 0
    process = subprocess.Popen(
        [sys.executable, "-m", "dvc", *command],
        cwd=repository,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        peak = max(peak, peak_bytes(watched))
        time.sleep(0.1)
    if process.returncode:
        raise SystemExit(f"{repository}: dvc {' '.join(command)} fails")
    return {"seconds": round(time.perf_counter() - start, 2), "peak_mib": round(peak / 2**20)}


def repository_of(folder: Path, size: int) -> Path:
    """Make a repository with the default's parameters and so many training clips, a quarter of them mixtures."""
    path = folder / str(size)
    if path.exists():
        return path
    unfinished = folder / f".{size}"
    shutil.rmtree(unfinished, ignore_errors=True)
    make_repository(unfinished)
    shutil.copy(ROOT / "params.yaml", unfinished)
    solo = 3 * size // 4 // CLASSES
    quotas = {"balance.train_per_class": solo, "balance.train_mixtures": size - solo * CLASSES}
    set_params(unfinished, {**quotas, "train.epochs": 1, "tracking.mlflow": False})
    unfinished.rename(path)
    return path


def rows(folder: Path, sizes: list[int]) -> Iterator[dict[str, float | str]]:
    """Measure what no line of `growth.jsonl` has, and return all of its lines for the sizes."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "growth.jsonl"
    known = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    for size in sizes:
        for stage in (*STAGES, NOTHING):
            row = next((each for each in known if (each["clips"], each["stage"]) == (size, stage)), None)
            if row is None:
                row = {"clips": size, "stage": stage, **measured(repository_of(folder, size), stage)}
                with kept.open("a") as file:
                    file.write(json.dumps(row) + "\n")
            yield row


def draw(measurements: list[dict[str, float | str]]) -> None:
    """Plot seconds and memory over the number of clips, a line per stage."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    for axes, column, label in zip(figure.subplots(1, 2), ("seconds", "peak_mib"), ("seconds", "MiB"), strict=True):
        for stage in (*STAGES, NOTHING):
            own = [row for row in measurements if row["stage"] == stage]
            axes.plot([row["clips"] for row in own], [row[column] for row in own], marker="o", label=stage)
        axes.set(xscale="log", yscale="log", xlabel="training clips", ylabel=label)
        axes.grid(alpha=0.3)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(PLOT, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10000, 100000])
    arguments = parser.parse_args()
    measurements = []
    print("| clips | stage | seconds | ms per clip | peak MiB |\n| --- | --- | --- | --- | --- |")
    for row in rows(arguments.folder.resolve(), arguments.sizes):
        each = 1000 * float(row["seconds"]) / float(row["clips"])
        print(
            f"| {row['clips']:,} | {row['stage']} | {row['seconds']} | {each:.2f} | {row['peak_mib']:,} |", flush=True
        )
        measurements.append(row)
    draw(measurements)


if __name__ == "__main__":
    main()
