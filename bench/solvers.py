#!/usr/bin/env python3
"""How many passes each method takes to the R that RESIRE's public code reports after 100 iterations on its own
sample: the table and the picture of docs/solvers.md.

    bench/solvers.py AETOS OUT [--svg FILE] [--most 60] [METHOD[:KEY=VALUE...] ...]

AETOS is the program; OUT a folder for its runs (those that it holds already are not made again). Each method runs
with more and more iterations; passes, R and time are those of its summary.json. Standard library only."""
import argparse
import array
import json
import math
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
CONFIG = HERE.parent / "configs" / "resire-sample.yaml"
SAMPLE = HERE.parent.parent / "shared" / "data" / "tomography" / "resire-sample"
PUBLISHED = 0.011048
FREE = ["reconstruct.nonnegative=false"]
METHODS = {
    "resire": [], "resire-nesterov": [], "os-resire": [], "os-resire-nesterov": [],
    "bqnls": [], "bqnls, no filter": ["reconstruct.preconditioner=none"], "blmvm": [], "bncg": [],
    "bqnkls": [], "bqnktr": [], "bqnktl": [], "bnls": [], "bntr": [], "bntl": [], "tron": [], "gpcg": [],
    "lmvm": FREE, "cg": FREE, "nls": FREE, "ntr": FREE, "ntl": FREE, "cgls": FREE, "lsqr": FREE,
    "sirt": [], "sart": [],
}
COLOURS = ["#444444", "#1b6ca8", "#c0392b", "#e67e22", "#27ae60", "#8e44ad", "#16a085", "#b7950b", "#7f8c8d", "#d35400",
           "#2c3e50", "#ff69b4", "#008080", "#800000", "#6b8e23", "#4b0082", "#a0522d", "#5f9ea0", "#dc143c", "#556b2f",
           "#1e90ff", "#cd853f", "#9932cc", "#2e8b57", "#708090"]


def volume(path):
    """Values of an MRC file of floats."""
    data = pathlib.Path(path).read_bytes()
    values = array.array("f")
    values.frombytes(data[1024 + int.from_bytes(data[92:96], "little"):])
    return values


def run(aetos, out, method, keys, iterations, truth):
    folder = out / f"{method}-{iterations}".replace(" ", "-").replace(",", "")
    if not (folder / "volume.h5").exists():
        start(aetos, folder, method, keys, iterations)
    summary = json.loads((folder / "summary.json").read_text())
    stage = summary.get("stages", summary).get("reconstruct", summary.get("reconstruct"))
    result = {"iterations": stage["iterations"], "passes": stage["passes"], "r": stage["r_factor"],
              "cpu_s": stage["cpu_s"]}
    if truth is not None and result["r"] <= PUBLISHED:
        mrc = folder / "volume.mrc"
        subprocess.run([str(aetos), "convert", str(folder / "volume.h5"), str(mrc), "--overwrite"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        found = volume(mrc)
        result["error"] = math.sqrt(sum((a - b) ** 2 for a, b in zip(found, truth)) / sum(b * b for b in truth))
    return result


def start(aetos, folder, method, keys, iterations):
    command = [aetos, "reconstruct", CONFIG, "--output", folder, "--overwrite", "--log-level", "error"]
    for key in [f"reconstruct.method={method.split(',')[0]}", f"reconstruct.iterations={iterations}",
                "reconstruct.projector=real-space", *keys]:
        command += ["--set", key]
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)


def curve(aetos, out, method, keys, most, truth):
    """Runs until R is reached or passes are spent, at every iteration near the goal."""
    points, iterations = [], 1
    while True:
        points.append(run(aetos, out, method, keys, iterations, truth))
        last = points[-1]
        if last["r"] <= PUBLISHED or last["passes"] >= most or last["iterations"] < iterations:
            return points
        iterations += 1 if last["r"] < 2 * PUBLISHED else max(1, iterations // 5)


def svg(curves, most):
    left, right, top, bottom, low, high = 60, 560, 20, 440, 0.008, 1.0
    x = lambda passes: left + (right - left) * passes / most
    y = lambda r: top + (bottom - top) * math.log(high / min(high, max(low, r))) / math.log(high / low)
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 740 490" font-family="sans-serif" font-size="12">',
             '<rect width="100%" height="100%" fill="white"/>']
    for passes in range(0, most + 1, 10):
        parts.append(f'<path d="M{x(passes):.1f} {top}V{bottom}" stroke="#e4e4e4"/>'
                     f'<text x="{x(passes):.1f}" y="{bottom + 18}" text-anchor="middle">{passes}</text>')
    for r in (1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01):
        parts.append(f'<path d="M{left} {y(r):.1f}H{right}" stroke="#e4e4e4"/>'
                     f'<text x="{left - 6}" y="{y(r) + 4:.1f}" text-anchor="end">{r:g}</text>')
    parts.append(f'<path d="M{left} {y(PUBLISHED):.1f}H{right}" stroke="black" stroke-dasharray="5 4"/>'
                 f'<text x="{right - 4}" y="{y(PUBLISHED) - 5:.1f}" text-anchor="end">RESIRE, 100 iterations</text>'
                 f'<text x="{(left + right) / 2}" y="{bottom + 38}" text-anchor="middle">passes over all projections</text>'
                 f'<text transform="translate(14 {(top + bottom) / 2}) rotate(-90)" text-anchor="middle">R of the volume</text>')
    for i, (name, points) in enumerate(curves.items()):
        line = "L".join(f"{x(p['passes']):.1f} {y(p['r']):.1f}" for p in [{"passes": 0, "r": 1.0}, *points]
                        if p["passes"] <= most)
        colour, dash = COLOURS[i % len(COLOURS)], ' stroke-dasharray="4 2"' if i % 2 else ""
        parts.append(f'<path d="M{line}" fill="none" stroke="{colour}" stroke-width="1.6"{dash}/>'
                     f'<path d="M574 {28 + 17 * i}h22" stroke="{colour}" stroke-width="2.2"{dash}/>'
                     f'<text x="602" y="{32 + 17 * i}">{name}</text>')
    return "\n".join(parts) + "\n</svg>\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("aetos")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--svg")
    parser.add_argument("--most", type=int, default=60, help="passes after which a method is left alone")
    parser.add_argument("methods", nargs="*")
    a = parser.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    truth_file = a.out / "truth.mrc"
    subprocess.run([a.aetos, "convert", str(SAMPLE / "ground_truth.mat"), str(truth_file), "--overwrite"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    truth = volume(truth_file)
    wanted = dict((m.split(":")[0], m.split(":")[1:] or METHODS.get(m.split(":")[0], [])) for m in a.methods) or METHODS
    curves = {}
    print("| method | iterations | passes | R | distance from the truth | s |\n| --- | --- | --- | --- | --- | --- |")
    for name, keys in wanted.items():
        points = curves[name] = curve(a.aetos, a.out, name, keys, 110 if name == "resire" else a.most, truth)
        last = points[-1]
        error = f"{last['error']:.3f}" if "error" in last else "goal not reached"
        print(f"| {name} | {last['iterations']} | {last['passes']} | {last['r']:.5f} | {error} | {last['cpu_s']:.1f} |",
              flush=True)
    (a.out / "curves.json").write_text(json.dumps(curves, indent=1))
    if a.svg:
        pathlib.Path(a.svg).write_text(svg(curves, a.most))


if __name__ == "__main__":
    sys.exit(main())
