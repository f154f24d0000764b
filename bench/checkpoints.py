#!/usr/bin/env python3
"""What it costs to keep work safe, how much of it a kill takes, and how soon a run stops that is asked to.

    bench/checkpoints.py AETOS OUT [--measure cost loss stops] [--ranks 2] [--times 8] [--seed 1] [CONFIG [KEY=VALUE...]]

Cost: a whole run under strace; the time within calls on the files that are there for a resume alone (journals and
checkpoints in the output's `work`), on the rank that spends most, as a share of the run. Whole runs with and without
checkpoints differ by more than that from one to the next.
Loss: runs killed (SIGKILL, all ranks) after a random time and resumed: how much longer both took together than a run
that nobody killed.
Stops: SIGUSR1 up to 45 s after each start of one run, and the time until it has ended with exit code 75; resumed each time.
CONFIG: configs/small-simulated.yaml. Needs strace for the cost, and no more than the standard library."""
import argparse
import pathlib
import random
import shutil
import signal
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent


# Of files: whatever takes time or writes.
CALLS = ("openat,close,read,pread64,write,writev,pwrite64,pwritev,lseek,ftruncate,fallocate,flock,fcntl,fsync,fdatasync,rename,"
         "unlink,mkdir")


class Runs:
    def __init__(self, a):
        self.folder = a.out.resolve() / "run"
        keys = [part for key in a.keys for part in ("--set", key)]
        self.launch = ["mpirun", "-n", str(a.ranks)]
        self.command = [a.aetos, "run", str(a.config), "--output", str(self.folder),
                        "--log-level", "error"] + keys

    def start(self, *more, under=()):
        return subprocess.Popen([*self.launch, *under, *self.command, *more], stdout=subprocess.DEVNULL, start_new_session=True)

    def again(self):
        """Goes on with the run in the folder, or begins it."""
        return self.start("--resume" if (self.folder / "run.json").exists() else "--overwrite")

    def whole(self, under=()):
        """Wall seconds of a run from nothing."""
        shutil.rmtree(self.folder, ignore_errors=True)
        begin = time.monotonic()
        if self.start(under=under).wait() != 0:
            raise SystemExit("the run failed")
        return time.monotonic() - begin

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
        if self.again().wait() != 0:
            raise SystemExit("the resumed run failed")
        return time.monotonic() - begin

    def stopped(self, after):
        """Seconds from SIGUSR1 to the end, and the log's last line before; None where the run ended by itself."""
        log = self.folder / "log.txt"
        run = self.again()
        try:
            if run.wait(after) != 0:
                raise SystemExit("the run failed")
            return None
        except subprocess.TimeoutExpired:
            said = log.read_text().splitlines()[-1] if log.exists() else ""
            begin = time.monotonic()
            run.send_signal(signal.SIGUSR1)  # mpirun sends it on
            if run.wait() not in (0, 75):
                raise SystemExit("the run did not stop in good order")
            return time.monotonic() - begin, said


def seconds_in_work(trace, work):
    """Seconds within the calls of one thread that name a file in the folder `work`."""
    return sum(float(line.rsplit("<", 1)[1].rstrip(">\n")) for line in trace.open(errors="replace")
               if str(work) in line and line.endswith(">\n"))


def cost(runs):
    traces = runs.folder.parent / "strace"
    shutil.rmtree(traces, ignore_errors=True)
    traces.mkdir()
    wall = runs.whole(["strace", "-ff", "-qq", "-y", "-T", "-s", "0", "--seccomp-bpf", "-o", traces / "calls", "-e", "trace=" + CALLS])
    spent = {trace.name: seconds_in_work(trace, runs.folder / "work") for trace in traces.iterdir()}
    most = max(spent.values())
    print(f"the run: {wall:.1f} s; in calls on files of its work folder, on the slowest rank: {most:.3f} s, {100 * most / wall:.2f} %",
          flush=True)


def loss(runs, kills, seed):
    undisturbed = min(runs.whole() for _ in range(2))
    print(f"\nundisturbed: {undisturbed:.1f} s (seed {seed})\n\n| killed after | of the whole | lost |\n| --- | --- | --- |")
    drawn = random.Random(seed)
    for _ in range(kills):
        after = drawn.uniform(0, undisturbed)
        both = runs.killed_and_resumed(after)
        print(f"| {after:.1f} s | {100 * after / undisturbed:.0f} % | {both - undisturbed:.1f} s |", flush=True)


def stops(runs, times, seed):
    print("\n| stopped after | ended within | the log's last line |\n| --- | --- | --- |")
    drawn = random.Random(seed)
    shutil.rmtree(runs.folder, ignore_errors=True)
    for _ in range(times):
        after = drawn.uniform(0, 45)
        stopped = runs.stopped(after)
        if stopped is None:
            print("| the run has ended | | |")
            return
        print(f"| {after:.1f} s | {stopped[0]:.1f} s | {stopped[1][21:100]} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("aetos")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--measure", nargs="+", choices=["cost", "loss", "stops"], default=["cost", "loss", "stops"])
    parser.add_argument("--times", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("config", nargs="?", default=HERE.parent / "configs/small-simulated.yaml")
    parser.add_argument("keys", nargs="*")
    a = parser.parse_intermixed_args()
    a.out.mkdir(parents=True, exist_ok=True)
    runs = Runs(a)
    if "cost" in a.measure:
        cost(runs)
    if "loss" in a.measure:
        loss(runs, a.times, a.seed)
    if "stops" in a.measure:
        stops(runs, a.times, a.seed)


if __name__ == "__main__":
    main()
