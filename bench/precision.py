#!/usr/bin/env python3
"""What limits the precision of atomic electron tomography: runs configs/precision.yaml with one thing changed at a
time, and makes the tables and the picture of docs/precision.md.

    bench/precision.py AETOS OUT [--ranks 2] [--svg FILE] [SERIES ...]

AETOS is the program; OUT a folder for its runs (those that it holds already are not made again); SERIES some of dose,
range, tilts, thickness, pixel, phonons, angles. OUT/results.json keeps every series; the picture shows all that it has.
Standard library only."""
import argparse
import json
import math
import pathlib
import random
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
CONFIG = HERE.parent / "configs" / "precision.yaml"
TRUTH = HERE.parent / "configs" / "specimens" / "small.extxyz"
TOTAL = 26 * 9600


def even(first, last, count):
    return "[" + ", ".join(f"{first + (last - first) * i / (count - 1):.4f}" for i in range(count)) + "]"


def sphere(diameter):
    # FCC Zr with the nearest distance of the study's metal, turned so that no zone axis lies along the beam.
    return ["specimen.file=none", "specimen.build={kind: particle, radius_A: %g, crystal: {structure: fcc, elements: [Zr], "
            "a_A: 4.53, euler_deg: [17, 23, 41]}}" % (diameter / 2)]


SERIES = {
    "dose": ("dose per projection (e/Å²)", True,
             [(d, [f"microscope.dose_e_per_A2={d}"]) for d in (300, 960, 3200, 9600, 32000)]),
    "range": ("largest tilt (degrees), 26 tilts", False,
              [(a, ["tilts.theta_deg=" + even(-a, a, 26)]) for a in (50, 62, 75, 86.5)]),
    "tilts": ("number of tilts, the same dose in all", False,
              [(n, ["tilts.theta_deg=" + even(-75, 75, n), f"microscope.dose_e_per_A2={TOTAL / n:.1f}"])
               for n in (10, 16, 26, 40, 60)]),
    "thickness": ("diameter (Å)", False, [(d, sphere(d)) for d in (15, 22, 30, 45)]),
    "pixel": ("pixel (Å)", False, [(p, [f"scan.pixel_A={p}"]) for p in (0.25, 0.3434, 0.5, 0.7)]),
    "phonons": ("B (Å²), one configuration per tilt", False,
                [(b, [f"specimen.thermal.debye_waller_B_A2={b}"]) for b in (0, 0.3, 1.2, 2.4)]),
    "angles": ("error of the angles (degrees rms)", False, None),
}


def start(aetos, folder, ranks, keys):
    command = ["mpirun", "-n", str(ranks), aetos, "run", str(CONFIG), "--output", str(folder), "--overwrite",
               "--log-level", "error"]
    for key in keys:
        command += ["--set", key]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def result(folder):
    summary = json.loads((folder / "summary.json").read_text())
    trace, compare = summary["trace"], summary["compare"]
    errors = (trace["refinement"] or {}).get("error_axis_pm")
    return {"identified": compare["identified_fraction"], "false": compare["false_atoms"], "rmsd": compare["rmsd_pm"],
            "bound": trace["crlb_pm"], "estimate": math.sqrt(sum(e * e for e in errors)) if errors else None}


def point(aetos, out, ranks, name, keys):
    folder = out / name
    if not (folder / "summary.json").exists() or "compare" not in json.loads((folder / "summary.json").read_text()):
        start(aetos, folder, ranks, keys)
    return result(folder)


def angle_series(aetos, out, ranks):
    """One simulation, reconstructed with angles that are wrong; without and with their refinement."""
    base = out / "angles-true"
    if not (base / "tilt_series.h5").exists():
        start(aetos, base, ranks, [])
    series = {"as given": [], "refined": []}
    for error in (0, 0.1, 0.2, 0.5):
        drawn = random.Random(1)
        angles = [-75 + 6 * i + drawn.gauss(0, error) for i in range(26)]
        keys = ["stages=[reconstruct, trace, compare]", f"reconstruct.input={(base / 'tilt_series.h5').resolve()}",
                "tilts.theta_deg=[" + ", ".join(f"{a:.4f}" for a in angles) + "]", f"compare.reference={TRUTH}",
                "compare.rotate=true"]
        for name, more in (("as given", []), ("refined", ["reconstruct.refine_angles=true"])):
            series[name].append((error, point(aetos, out, ranks, f"angles-{error}-{name.split()[0]}", keys + more)))
    return series


def panel(x0, y0, title, logarithmic, curves):
    """One small plot of RMSD, the estimate and the bound against a quantity."""
    width, height, low, high = 250, 170, 1.0, 100.0
    xs = [x for points in curves.values() for x, _ in points]
    scale = math.log10 if logarithmic else float
    first, last = scale(min(xs)), scale(max(xs))
    px = lambda x: x0 + width * (scale(x) - first) / (last - first)
    py = lambda y: y0 + height * (1 - math.log(min(high, max(low, y)) / low) / math.log(high / low))
    parts = [f'<text x="{x0 + width / 2}" y="{y0 + height + 34}" text-anchor="middle">{title}</text>']
    for y in (1, 2, 5, 10, 20, 50, 100):
        parts.append(f'<path d="M{x0} {py(y):.1f}h{width}" stroke="#e4e4e4"/>'
                     f'<text x="{x0 - 5}" y="{py(y) + 4:.1f}" text-anchor="end">{y}</text>')
    for x in sorted(set(xs)):
        parts.append(f'<text x="{px(x):.1f}" y="{y0 + height + 16}" text-anchor="middle">{x:g}</text>')
    looks = {"RMSD": ("#1b6ca8", ""), "as given": ("#1b6ca8", ""), "refined": ("#c0392b", ' stroke-dasharray="6 3"'),
             "bound": ("#888888", ' stroke-dasharray="2 3"')}
    for name, points in curves.items():
        shown = [(px(x), py(y)) for x, y in points if y]
        if not shown:
            continue
        colour, dash = looks[name]
        line = "L".join(f"{x:.1f} {y:.1f}" for x, y in shown)
        parts.append(f'<path d="M{line}" fill="none" stroke="{colour}" stroke-width="1.8"{dash}/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{colour}"/>' for x, y in shown]
        below = 16 if name in ("bound", "refined") else -7
        parts.append(f'<text x="{shown[-1][0] - 4:.1f}" y="{shown[-1][1] + below:.1f}" text-anchor="end" fill="{colour}">{name}</text>')
    return "\n".join(parts)


def svg(results):
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 %d" font-family="sans-serif" font-size="11">'
             % (30 + 235 * math.ceil(len(results) / 2)), '<rect width="100%" height="100%" fill="white"/>',
             '<text x="8" y="16">RMSD of the atoms (pm)</text>']
    for i, (name, curves) in enumerate(results.items()):
        title, logarithmic, _ = SERIES[name]
        flat = ({"bound": [(x, r["bound"]) for x, r in curves["RMSD"]], "RMSD": [(x, r["rmsd"]) for x, r in curves["RMSD"]]}
                if "RMSD" in curves else {k: [(x, r["rmsd"]) for x, r in v] for k, v in curves.items()})
        parts.append(panel(40 + 310 * (i % 2), 30 + 235 * (i // 2), title, logarithmic, flat))
    return "\n".join(parts) + "\n</svg>\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("aetos")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--svg")
    parser.add_argument("series", nargs="*", default=list(SERIES))
    a = parser.parse_intermixed_args()
    a.out.mkdir(parents=True, exist_ok=True)
    record = a.out / "results.json"
    results = json.loads(record.read_text()) if record.exists() else {}
    for name in a.series or SERIES:
        title, _, points = SERIES[name]
        if points is None:
            results[name] = angle_series(a.aetos, a.out, a.ranks)
        else:
            results[name] = {"RMSD": [(x, point(a.aetos, a.out, a.ranks, f"{name}-{x}", keys)) for x, keys in points]}
        print(f"\n| {title} | | identified | false | RMSD, pm | estimated, pm | bound, pm |\n| --- | --- | --- | --- | --- | --- | --- |")
        for curve, values in results[name].items():
            for x, r in values:
                number = lambda v: "–" if v is None else f"{v:.1f}"
                print(f"| {x:g} | {'' if curve == 'RMSD' else curve} | {100 * r['identified']:.1f} % | {r['false']} | "
                      f"{number(r['rmsd'])} | {number(r['estimate'])} | {number(r['bound'])} |", flush=True)
        record.write_text(json.dumps(results, indent=1))
    if a.svg:
        pathlib.Path(a.svg).write_text(svg({name: results[name] for name in SERIES if name in results}))


if __name__ == "__main__":
    sys.exit(main())
