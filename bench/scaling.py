#!/usr/bin/env python3
"""Weak and strong scaling on the ranks at hand, and the model of docs/scaling.md that goes on from them to 10,000.

    bench/scaling.py AETOS AETOS_BENCH OUT [--ranks 1 2 4] [--markdown]

Simulates bench/scaling-small.yaml and reconstructs the projections of a sphere on each number of ranks: strong, the same
work; weak, tilts and rows in proportion. Processor time is what counts, so that it may run beside other work; ranks that wait
give theirs away, so that work done twice shows in it, and waiting in the imbalance. Bytes on the wire are counted by Open
MPI's monitoring. How evenly the work of the two particles is dealt to up to 10,000 ranks, and what each rank does before it
starts, comes from `aetos-bench --json scaling`, the program's own partition. What cannot be measured here (network, parallel
file system) is assumed: see CLUSTER. Needs Open MPI 4, no Python packages."""
import argparse
import glob
import json
import math
import os
import re
import struct
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
TILTS = [-60, -40, -20, 0, 20, 40, 60, 75]
SIDE = 256  # pixels of the sphere's projections
PASSES = 25

# Assumed of a cluster, not measured: latency of one step of a collective call and bandwidth of one link; bandwidth that
# one client reaches on a parallel file system, storage targets there are, time to create a file on its metadata server;
# ranks of a node.
CLUSTER = dict(latency_s=5e-6, link_Bps=5e9, client_Bps=1e9, targets=64, create_s=2e-3, node=128, checksum_Bps=1.5e9)
RANKS = [10, 100, 1000, 10000]


def launch(aetos, ranks, stage, output, sets, folder):
    profile = os.path.join(folder, "profile")
    for old in glob.glob(profile + "*"):
        os.remove(old)
    command = ["mpirun", "-n", str(ranks), "--oversubscribe", "--mca", "mpi_yield_when_idle", "1"]
    for name, value in (("enable", "2"), ("enable_output", "3"), ("filename", profile)):
        command += ["--mca", "pml_monitoring_" + name, value]
    command += [aetos, stage, os.path.join(HERE, "scaling-small.yaml"), "--output", output] + sets
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    sent = 0
    for name in glob.glob(profile + "*.prof"):
        for line in open(name):
            found = re.match(r"[EIS]\t(\d+)\t(\d+)\t(\d+) bytes", line)
            if found and found[1] != found[2]:
                sent += int(found[3])
    with open(os.path.join(output, "summary.json")) as file:
        result = json.load(file)[stage]
    return dict(ranks=ranks, stage=stage, cpu_s=result["cpu_s"], imbalance=result["imbalance"],
                memory_MiB=result["peak_memory_MiB"], wire_bytes=sent, result=result)


def write_sphere(name, rows):
    """A sphere's projections, all alike, as an MRC stack of float32; the tilt axis is `rows` pixels long."""
    radius2 = (0.4 * SIDE) ** 2
    across = [(i - SIDE / 2) ** 2 for i in range(SIDE)]
    along = [(i - rows / 2) ** 2 for i in range(rows)]
    image = b"".join(struct.pack("<f", 2 * math.sqrt(max(0, radius2 - x - y))) for y in along for x in across)
    size = (SIDE, rows, len(TILTS))
    header = struct.pack("<10i6f", *size, 2, 0, 0, 0, *size, *size, 90, 90, 90) + struct.pack("<3i", 1, 2, 3)
    header = header.ljust(208, b"\0") + b"MAP " + bytes([0x44, 0x44, 0, 0])
    with open(name, "wb") as file:
        file.write(header.ljust(1024, b"\0") + image * len(TILTS))


def measure(aetos, ranks, out, weak):
    rows = []
    for n in ranks:
        output = os.path.join(out, f"{'weak' if weak else 'strong'}-{n}")
        tilts = TILTS if not weak else [t + 1.5 * k for k in range(n) for t in TILTS[: len(TILTS) // 2]]
        sets = ["--overwrite", "--set", f"tilts.theta_deg={json.dumps(sorted(tilts))}"]
        rows.append(launch(aetos, n, "simulate", output, sets, out))
        stack = os.path.join(out, "sphere.mrc")
        write_sphere(stack, SIDE // 2 * n if weak else SIDE)
        sets = ["--overwrite", "--set", f"reconstruct.input={stack}", "--set", f"reconstruct.iterations={PASSES}"]
        rows.append(launch(aetos, n, "reconstruct", output + "-sphere", sets, out))
    for stage in ("simulate", "reconstruct"):
        of_stage = [r for r in rows if r["stage"] == stage]
        for r in of_stage:
            work = r["ranks"] / of_stage[0]["ranks"] if weak else 1
            r["efficiency"] = of_stage[0]["cpu_s"] * work / r["cpu_s"]
    return rows


def rates(rows):
    """Seconds of a wave-slice, of a slice of a potential, of an update of the projectors (a voxel of a tilt, both ways)."""
    s = next(r["result"] for r in rows if r["stage"] == "simulate" and r["ranks"] == 1)
    r = next(r["result"] for r in rows if r["stage"] == "reconstruct" and r["ranks"] == 1)
    return dict(wave_slice_s=s["waves_s"] / s["probe_slices"], potential_of_waves=s["potential_s"] / s["waves_s"],
                update_s=r["cpu_s"] / (r["passes"] * r["projections"] * SIDE**3))


def efficiency_of(case, ranks):
    return next(s["efficiency"] for s in case["shares"] if s["ranks"] == ranks)


def budget_group(case):
    """Wave-slices, of the simulation's own window, that one of the 16 groups of sample probes takes: the program's rule
    (simulation/rates.cpp) for 16 probes and a tile's potential, the settings being the own one (twice), half the sampling,
    half the slices, the window again and one twice as wide."""
    px = case["window_px"][0]
    side = 1 + (5.5 + 4) / (0.1 * px)
    own = 16 + 12 * side**2
    wide = 16 + 12 * (1 + (5.5 + 4) / (0.2 * px)) ** 2
    larger = 4 * math.log(2 * px) / math.log(px)
    return case["slice_count"] * (own * (2 + larger + 2 + 1) + wide * larger)


def simulate_model(case, rate, n):
    c = CLUSTER
    waves = case["wave_slices"] * rate["wave_slice_s"]
    work = waves * (1 + rate["potential_of_waves"])
    signals = case["tilts"] * case["image_px"][0] * case["image_px"][1] * 4 * 2  # clean and noisy
    writers = min(n, c["targets"], case["tilts"])
    return {
        "compute": work / n,
        "uneven shares": work / n / efficiency_of(case, n) - work / n,
        "plan on every rank": case["plan_s"],
        "tiles weighed": case["weigh_s"] / min(n, case["tilts"]),
        "error budget": 16 * budget_group(case) * rate["wave_slice_s"] / min(n, 16),
        "journals created": math.ceil(n / c["node"]) * c["create_s"] if n > 64 else n * c["create_s"],
        "journals read by one rank": case["journal_bytes"] / min(c["checksum_Bps"], c["client_Bps"]),
        "records told to all": case["items"] * 56 / c["link_Bps"] * math.log2(n),
        "images put together": case["journal_bytes"] / min(n, case["tilts"]) / c["client_Bps"],
        "file written": signals / (writers * c["client_Bps"]) + math.log2(n) * c["latency_s"] * 50,
    }


def reconstruct_model(case, rate, n):
    c = CLUSTER
    ny, nx = case["image_px"]
    passes = 201
    rows = math.ceil(ny / n)
    row_s = nx * nx * case["tilts"] * rate["update_s"]
    volume = ny * nx * nx * 4
    writers = min(n, c["targets"], ny)
    seconds = passes * rows * row_s
    return {
        "compute": passes * ny * row_s / n,
        "rows that do not divide": seconds - passes * ny * row_s / n if n <= ny else 0,
        "ranks without a row": seconds - passes * ny * row_s / n if n > ny else 0,
        # Every rank learns every row's part of each projection's R: the same bits on any number of ranks.
        "R-factors": passes * (ny * case["tilts"] * 8 * 2 / c["link_Bps"] + math.log2(n) * c["latency_s"]),
        "checkpoints": volume / (writers * c["client_Bps"]) * math.ceil(seconds / 60),
        "file written": volume / (writers * c["client_Bps"]) + math.log2(n) * c["latency_s"] * 50,
    }


def model(cases, rate):
    table = []
    for name, case in cases.items():
        for stage, terms_of in (("simulate", simulate_model), ("reconstruct", reconstruct_model)):
            for n in RANKS:
                terms = terms_of(case, rate, n)
                total = sum(terms.values())
                lost = {k: v for k, v in terms.items() if k != "compute"}
                table.append(dict(case=name, stage=stage, ranks=n, seconds=total, compute_s=terms["compute"],
                                  efficiency=terms["compute"] / total, bottleneck=max(lost, key=lost.get),
                                  bottleneck_s=max(lost.values()), terms=terms))
    return table


def markdown(result):
    print("| | ranks | stage | processor time | efficiency | imbalance | sent between ranks | memory per rank |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for kind in ("strong", "weak"):
        for r in result[kind]:
            print(f"| {kind} | {r['ranks']} | {r['stage']} | {r['cpu_s']:.2f} s | {r['efficiency']:.2f} | {r['imbalance']:.2f} "
                  f"| {r['wire_bytes'] / 1e6:.2f} MB | {r['memory_MiB']:.0f} MiB |")
    print("\n| particle | stage | ranks | time | of it computing | efficiency | most is lost to |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for m in result["model"]:
        print(f"| {m['case']} | {m['stage']} | {m['ranks']:,} | {m['seconds']:.4g} s | {m['compute_s']:.3g} s | {m['efficiency']:.2f} "
              f"| {m['bottleneck']} ({m['bottleneck_s']:.2g} s) |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("aetos")
    parser.add_argument("bench")
    parser.add_argument("out")
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--markdown", action="store_true")
    a = parser.parse_args()
    if a.ranks[0] != 1:
        parser.error("the first number of ranks is 1: the others are compared with it")
    os.makedirs(a.out, exist_ok=True)
    strong = measure(a.aetos, a.ranks, a.out, weak=False)
    weak = measure(a.aetos, a.ranks, a.out, weak=True)
    cases = json.loads(subprocess.run([a.bench, "--json", "scaling"], check=True, capture_output=True, text=True).stdout)
    cases.pop("benchmark")
    rate = rates(strong)
    result = dict(strong=strong, weak=weak, rates=rate, assumed=CLUSTER, cases=cases, model=model(cases, rate))
    if a.markdown:
        markdown(result)
    else:
        print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
