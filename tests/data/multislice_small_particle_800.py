#!/usr/bin/env python3
"""Cuts multislice_small_particle_800.csv out of the reference results of data/multislice.

usage: multislice_small_particle_800.py DATA_MULTISLICE > multislice_small_particle_800.csv

Nine probes of the small particle on 800 x 800 pixels of 0.05 Å: abTEM on exactly placed atoms (rings of 1 mrad
a0..., centre of mass, total) and Prismatic fed with the same potential (rings p0...). Needs numpy.
"""
import sys

import numpy as np

folder = sys.argv[1]
abtem = np.load(f"{folder}/small-particle-kirkland-800-exact.npz")
prismatic = np.load(f"{folder}/prismatic-small-particle.npz")["annular_imported"]
rings, other_rings = abtem["annular"].shape[-1], prismatic.shape[-1]
names = ["ix", "iy", "x_A", "y_A", "comx_mrad", "comy_mrad", "total"]
names += [f"a{n}" for n in range(rings)] + [f"p{n}" for n in range(other_rings)]
print(",".join(names))
for ix in (3, 10, 16):
    for iy in (4, 9, 17):
        values = [abtem["probe_x"][ix], abtem["probe_y"][iy], *abtem["com"][ix, iy], abtem["total"][ix, iy]]
        values += [*abtem["annular"][ix, iy], *prismatic[ix, iy]]
        print(",".join([str(ix), str(iy)] + [f"{float(v):.7g}" for v in values]))
