#!/usr/bin/env python3
"""What it costs to keep work safe, and how much of it a kill takes.

    bench/checkpoints.py AETOS OUT [--ranks 2] [--repeats 5] [--kills 8] [--seed 1] [CONFIG [KEY=VALUE...]]

Cost: whole runs whose checkpoint_interval_s is 1 s, 60 s and never, in turn; medians of their CPU seconds against never.
Loss: runs killed (SIGKILL, all ranks) after a random time and resumed: how much longer both took together than a run
that nobody killed. CONFIG: configs/small-simulated.yaml. Standard library only."""
import argparse
import pathlib
import random
import resource
import shutil
import statistics
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent


def used():
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


class Runs:
    def __init__(self, a):
        self.folder = a.out / "run"
        keys = [part for key in a.keys for part in ("--set", key)]
        self.command = ["mpirun", "-n", str(a.ranks), a.aetos, "run", str(a.config), "--output", str(self.folder),
                        "--log-level", "error"] + keys

    def start(self, *more):
        return subprocess.Popen(self.command + list(more), stdout=subprocess.DEVNULL, start_new_session=True)

    def whole(self, *more):
        """Wall and CPU seconds of a run from nothing."""
        shutil.rmtree(self.folder, ignore_errors=True)
        begin, before = time.monotonic(), used()
        if self.start(*more).wait() != 0:
            raise SystemExit("the run failed")
        return time.monotonic() - begin, used() - before

    def killed_and_resumed(self, after):
        """Wall seconds of both parts together."""
        shutil.rmtree(self.folder, ignore_errors=True)
        begin = time.monotonic()
        run = self.start()
        try:
            run.wait(after)
        except subprocess.TimeoutExpired:
            # mpirun gives its processes groups of their own, but not sessions.
            subprocess.run(["pkill", "-KILL", "-s", str(run.pid)], check=True)
            run.wait()
        more = ["--resume"] if (self.folder / "run.json").exists() else ["--overwrite"]
        if self.start(*more).wait() != 0:
            raise SystemExit("the resumed run failed")
        return time.monotonic() - begin


def cost(runs, repeats):
    intervals = {"never": "86400", "60 s": "60", "1 s": "1"}
    spent = {name: [] for name in intervals}
    for _ in range(repeats):
        for name, seconds in intervals.items():
            spent[name].append(runs.whole("--set", f"checkpoint_interval_s={seconds}")[1])
    least = statistics.median(spent["never"])
    print("| checkpoint_interval_s | CPU seconds (median) | over never | range |\n| --- | --- | --- | --- |")
    for name, seconds in spent.items():
        middle = statistics.median(seconds)
        print(f"| {name} | {middle:.2f} | {100 * (middle / least - 1):+.2f} % | {min(seconds):.2f} to {max(seconds):.2f} |", flush=True)


def loss(runs, kills, seed):
    undisturbed = min(runs.whole()[0] for _ in range(2))
    print(f"\nundisturbed: {undisturbed:.1f} s (seed {seed})\n\n| killed after | of the whole | lost |\n| --- | --- | --- |")
    drawn = random.Random(seed)
    for _ in range(kills):
        after = drawn.uniform(0, undisturbed)
        both = runs.killed_and_resumed(after)
        print(f"| {after:.1f} s | {100 * after / undisturbed:.0f} % | {both - undisturbed:.1f} s |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("aetos")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("config", nargs="?", default=HERE.parent / "configs/small-simulated.yaml")
    parser.add_argument("keys", nargs="*")
    a = parser.parse_intermixed_args()
    a.out.mkdir(parents=True, exist_ok=True)
    runs = Runs(a)
    if a.repeats:
        cost(runs, a.repeats)
    if a.kills:
        loss(runs, a.kills, a.seed)


if __name__ == "__main__":
    main()
