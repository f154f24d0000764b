#!/usr/bin/env python3
"""Whether denoising before the reconstruction helps the atoms: `configs/small-simulated.yaml` at several doses, without and
with each denoiser, atoms refined against the noisy images themselves.

    bench/denoise.py AETOS OUT [--config FILE] [--counts FILE] [--shares 1 0.3333 0.1 0.03125] [--ranks 2]

The doses are shares of the images' own (thin_counts.py). Runs that OUT holds already are not made again. Needs numpy and
scipy."""
import argparse
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SERIES = HERE.parent / "../shared/data/tomography/small-simulated/projections_noisy.mat"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("aetos")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--config", default=HERE.parent / "configs/small-simulated.yaml")
    parser.add_argument("--counts", default=SERIES)
    parser.add_argument("--shares", type=float, nargs="+", default=[1, 0.3333, 0.1, 0.03125])
    parser.add_argument("--ranks", type=int, default=2)
    a = parser.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    print("| share of the dose | denoised by | peaks | identified | false | RMSD, pm | bound, pm |\n"
          "| --- | --- | --- | --- | --- | --- | --- |")
    for share in a.shares:
        counts = a.out.resolve() / f"counts-{share:g}.mat"
        if not counts.exists():
            subprocess.run([sys.executable, HERE / "thin_counts.py", a.counts, str(share), counts], check=True)
        for denoiser in ("none", "bm3d", "non-local-means", "wavelet"):
            folder = a.out / f"{share:g}-{denoiser}"
            keys = [f"reconstruct.input={counts}"]
            if denoiser != "none":
                keys = [f"preprocess.input={counts}", "reconstruct.input=preprocessed.h5", f"preprocess.denoise={denoiser}",
                        f"trace.images={counts}", "stages=[preprocess, reconstruct, trace, compare]"]
            if not (folder / "summary.json").exists() or "compare" not in json.loads((folder / "summary.json").read_text()):
                command = ["mpirun", "-n", str(a.ranks), a.aetos, "run", a.config, "--output", folder, "--overwrite",
                           "--log-level", "error"]
                for key in keys:
                    command += ["--set", key]
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            summary = json.loads((folder / "summary.json").read_text())
            trace, compare = summary["trace"], summary["compare"]
            added = trace["refinement"]["added_from_residuals"]
            print(f"| {share:g} | {denoiser} | {trace['atoms'] - added} | {100 * compare['identified_fraction']:.1f} % | "
                  f"{compare['false_atoms']} | {compare['rmsd_pm']:.2f} | {trace['crlb_pm']:.1f} |", flush=True)


if __name__ == "__main__":
    main()
