#!/usr/bin/env python3
"""Cuts idpc_zro2_100.csv out of the reference results of data/multislice.

usage: idpc_zro2_100.py DATA_MULTISLICE > idpc_zro2_100.csv

Centre of mass of c-ZrO2 [100] on 16 x 16 probes of one cell (mrad) and abTEM's integrated one. Needs numpy.
"""
import sys

import numpy as np

data = np.load(f"{sys.argv[1]}/idpc-zro2-100.npz")
print("ix,iy,comx_mrad,comy_mrad,idpc")
for ix in range(16):
    for iy in range(16):
        values = [*data["com_exact_mrad"][ix, iy], data["idpc_exact"][ix, iy]]
        print(",".join([str(ix), str(iy)] + [f"{float(v):.9g}" for v in values]))
