#!/usr/bin/env python3
"""A volume of Gaussian atoms from an extended XYZ file, to hold reconstructions against (`reconstruct.truth`).

    bench/atoms_volume.py ATOMS.extxyz OUT.mrc --shape NZ NY NX --voxel 0.195 [--sigma 0.4]

Positions in Å from the volume's centre (index n // 2 of each axis); each atom weighs its atomic number to the power
1.7, sigma in Å. Standard library only."""
import argparse
import array
import math
import struct
import sys

NUMBERS = {"C": 6, "N": 7, "O": 8, "Al": 13, "Si": 14, "Ti": 22, "Fe": 26, "Co": 27, "Ni": 28, "Cu": 29, "Zr": 40, "Pd": 46,
           "Ta": 73, "Pt": 78, "Au": 79}


def read_atoms(path):
    with open(path, encoding="utf-8") as file:
        count = int(file.readline())
        fields = file.readline().split("Properties=")[1].split()[0].split(":")
        columns, at = {}, 0
        for name, _, width in zip(fields[::3], fields[1::3], fields[2::3]):
            columns[name] = at
            at += int(width)
        for _ in range(count):
            words = file.readline().split()
            position = [float(w) for w in words[columns["pos"]:columns["pos"] + 3]]
            yield NUMBERS[words[columns["species"]]] ** 1.7, position


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("atoms")
    parser.add_argument("out")
    parser.add_argument("--shape", type=int, nargs=3, required=True)
    parser.add_argument("--voxel", type=float, required=True)
    parser.add_argument("--sigma", type=float, default=0.4)
    a = parser.parse_args()
    nz, ny, nx = a.shape
    volume = array.array("f", bytes(4 * nz * ny * nx))
    sigma = a.sigma / a.voxel
    reach = int(4 * sigma) + 1
    for weight, position in read_atoms(a.atoms):
        x, y, z = (p / a.voxel + n // 2 for p, n in zip(position, (nx, ny, nz)))
        profiles = []
        for centre, n in ((x, nx), (y, ny), (z, nz)):
            first = max(0, round(centre) - reach)
            profiles.append((first, [math.exp(-((i - centre) ** 2) / (2 * sigma * sigma))
                                     for i in range(first, min(n, round(centre) + reach + 1))]))
        (x0, along_x), (y0, along_y), (z0, along_z) = profiles
        for k, wz in enumerate(along_z, z0):
            for j, wy in enumerate(along_y, y0):
                at = (k * ny + j) * nx + x0
                for i, wx in enumerate(along_x, at):
                    volume[i] += weight * wz * wy * wx
    head = bytearray(1024)
    struct.pack_into("<10i", head, 0, nx, ny, nz, 2, 0, 0, 0, nx, ny, nz)
    struct.pack_into("<3f3f3i", head, 40, nx * a.voxel, ny * a.voxel, nz * a.voxel, 90, 90, 90, 1, 2, 3)
    head[208:212] = b"MAP "
    head[212:216] = bytes([0x44, 0x44, 0, 0])
    with open(a.out, "wb") as file:
        file.write(head)
        volume.tofile(file)


if __name__ == "__main__":
    sys.exit(main())
