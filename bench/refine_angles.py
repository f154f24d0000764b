#!/usr/bin/env python3
"""How well `refine_angles` finds angles and shifts again: a simulated series is given wrong angles and shifted
images, reconstructed with and without refinement, and the poses are compared with the true ones.

    bench/refine_angles.py AETOS SERIES.mat ANGLES.mat OUT [--degrees 1] [--pixels 1] [--crop 100] [--ranks 2] [--trace]
                           [--electrons N [--fwhm_A 0.8]] [KEY=VALUE...]

With --trace the angles are refined once more with the atoms (`trace: {refine_angles: true}`). With --electrons SERIES
holds fractions of the beam, which are blurred by the source and counted after they were shifted, N electrons a pixel.
Needs numpy, scipy and h5py. SERIES.mat: images (x, y, tilt); ANGLES.mat: the true (phi, theta, psi)."""
import argparse
import json
import os
import subprocess

import numpy as np
import scipy.io
from scipy.ndimage import fourier_gaussian, fourier_shift
from scipy.spatial.transform import Rotation

PIXEL_A = 0.3434


def only_array(path):
    return next(value for key, value in scipy.io.loadmat(path).items() if not key.startswith("_"))


def rotations(euler_deg):
    return Rotation.from_euler("ZYX", euler_deg, degrees=True)


def errors(found, true, shifts):
    """rms per axis in degrees and pixels, without the rotation and displacement that no projection tells."""
    for _ in range(5):
        mean = (rotations(found) * rotations(true).inv()).as_rotvec().mean(axis=0)
        found = (Rotation.from_rotvec(-mean) * rotations(found)).as_euler("ZYX", degrees=True)
    turn = (rotations(true).inv() * rotations(found)).as_rotvec(degrees=True)
    matrices = rotations(true).as_matrix()
    rows = np.concatenate([matrices[:, :, 0], matrices[:, :, 1]])
    columns = np.concatenate([shifts[:, 0], shifts[:, 1]])
    left = columns - rows @ np.linalg.lstsq(rows, columns, rcond=None)[0]
    return np.sqrt((turn**2).mean()), np.sqrt((left**2).mean()), turn


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("aetos")
    parser.add_argument("series")
    parser.add_argument("angles")
    parser.add_argument("out")
    parser.add_argument("--degrees", type=float, default=1)
    parser.add_argument("--pixels", type=float, default=1)
    parser.add_argument("--crop", type=int, default=100)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--trace", action="store_true")
    parser.add_argument("--electrons", type=float, default=0)
    parser.add_argument("--fwhm_A", type=float, default=0.8)
    parser.add_argument("keys", nargs="*")
    a = parser.parse_intermixed_args()
    os.makedirs(a.out, exist_ok=True)
    images = only_array(a.series).astype(float)
    true = np.asarray(only_array(a.angles), float)
    n, first = a.crop, images.shape[0] // 2 - a.crop // 2
    rng = np.random.default_rng(7)
    given = true + rng.normal(0, 1, true.shape) * a.degrees
    moved = rng.normal(0, 1, (len(true), 2)) * a.pixels
    series = np.empty((n, n, len(true)), np.uint16 if a.electrons else np.float32)
    for p in range(len(true)):
        spectrum = fourier_shift(np.fft.fftn(images[:, :, p]), moved[p])
        if a.electrons:
            spectrum = fourier_gaussian(spectrum, a.fwhm_A / np.sqrt(8 * np.log(2)) / PIXEL_A)
        whole = np.fft.ifftn(spectrum).real
        if a.electrons:
            whole = rng.poisson(a.electrons * np.maximum(whole, 0))
        series[:, :, p] = whole[first : first + n, first : first + n]
    scipy.io.savemat(f"{a.out}/series.mat", {"series": series})
    scipy.io.savemat(f"{a.out}/angles.mat", {"angles": given})
    with open(f"{a.out}/config.yaml", "w") as config:
        config.write(
            f"output: run\nstages: [reconstruct{', trace' if a.trace else ''}]\n"
            f"scan: {{pixel_A: {PIXEL_A}}}\ntilts: {{file: angles.mat}}\n"
            "microscope: {voltage_kV: 300, convergence_mrad: 30}\ntrace: {species: [Zr], refine_angles: true}\n"
            "reconstruct: {input: series.mat, method: resire-nesterov, projector: real-space, iterations: 40,"
            " refine_angles: true}\n"
        )
    command = ["mpirun", "--oversubscribe", "-n", str(a.ranks), a.aetos, "run", f"{a.out}/config.yaml", "--overwrite"]
    for key in a.keys:
        command += ["--set", key]
    subprocess.run(command, check=True)
    summary = json.load(open(f"{a.out}/run/summary.json"))

    def tell(when, angles, shifts):
        turn, shift, axes = errors(angles, true, shifts)
        axes = ", ".join(f"{x:.4f}" for x in np.sqrt((axes**2).mean(axis=0)))
        print(f"{when}: {turn:.4f} degrees (u, v, beam: {axes}), {shift:.4f} pixels rms per axis")

    tell("before", given, moved)
    for stage, table in (("reconstruct", "refined_angles.csv"), ("trace", "traced_angles.csv")):
        if stage in summary:
            rows = np.loadtxt(f"{a.out}/run/{table}", delimiter=",", skiprows=1)
            moved = moved + rows[:, [5, 4]]  # the trace stage starts from the moved images
            tell(f"after {stage}, {summary[stage]['wall_s']:.0f} s", rows[:, 1:4], moved)
    print(summary["reconstruct"]["refine_angles"])
    if a.trace:
        print(summary["trace"]["refinement"]["refine_angles"], summary["trace"]["atoms"], "atoms")


if __name__ == "__main__":
    main()
