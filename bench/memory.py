#!/usr/bin/env python3
"""Peak memory of each stage against what `aetos check` says of it.

    bench/memory.py AETOS OUT [CONFIG [KEY=VALUE...]] [--ranks 1 2]

Without CONFIG the demo, configs/precision.yaml, configs/small-simulated.yaml and configs/zr1-like-simulated.yaml run
(their traces alone take 15 core-minutes). Runs that OUT holds already are not made again. Standard library only."""
import argparse
import json
import pathlib
import subprocess

CONFIGS = pathlib.Path(__file__).resolve().parent.parent / "configs"
CASES = ["demo", "precision", "small-simulated", "zr1-like-simulated"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("aetos")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2])
    parser.add_argument("config", nargs="?")
    parser.add_argument("keys", nargs="*")
    a = parser.parse_intermixed_args()
    configs = [pathlib.Path(a.config)] if a.config else [CONFIGS / f"{name}.yaml" for name in CASES]
    print("| config | ranks | stage | check, MiB | peak, MiB | ratio |\n| --- | --- | --- | --- | --- | --- |")
    for config in configs:
        for ranks in a.ranks:
            folder = a.out / f"{config.stem}-{ranks}"
            keys = [part for key in a.keys for part in ("--set", key)] + ["--output", str(folder)]
            start = ["mpirun", "--oversubscribe", "-n", str(ranks), a.aetos]
            told = subprocess.run(start + ["check", str(config), "--json"] + keys, check=True, capture_output=True, text=True)
            if not (folder / "summary.json").exists():
                subprocess.run(start + ["run", str(config), "--log-level", "error"] + keys, check=True,
                               stdout=subprocess.DEVNULL)
            summary = json.loads((folder / "summary.json").read_text())
            for stage, entry in json.loads(told.stdout)["stages"].items():
                if "memory_per_rank_MiB" not in entry or stage not in summary:
                    continue
                said, peak = entry["memory_per_rank_MiB"], summary[stage]["peak_memory_MiB"]
                print(f"| {config.stem} | {ranks} | {stage} | {said:.0f} | {peak:.0f} | {said / peak:.2f} |", flush=True)


if __name__ == "__main__":
    main()
