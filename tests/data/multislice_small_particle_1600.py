#!/usr/bin/env python3
"""Cuts multislice_small_particle_1600.csv out of the reference results of data/multislice.

usage: multislice_small_particle_1600.py DATA_MULTISLICE > multislice_small_particle_1600.csv

The converged answer: 36 probes of the small particle on 1600 x 1600 pixels of 0.025 Å, by an independent numpy
multislice. Sums of its rings of 1 mrad: 0-30, 39-48 and 39-60 mrad. Needs numpy.
"""
import sys

import numpy as np

folder = sys.argv[1]
data = np.load(f"{folder}/small-particle-kirkland-1600-numpy.npz")
rings = data["annular"]
print("x_A,y_A,0_30,39_48,39_60")
for ix, x in enumerate(data["probe_x"]):
    for iy, y in enumerate(data["probe_y"]):
        sums = [rings[ix, iy, low:high].sum() for low, high in ((0, 30), (39, 48), (39, 60))]
        print(",".join([f"{x:g}", f"{y:g}"] + [f"{v:.7g}" for v in sums]))
