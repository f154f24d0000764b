#!/usr/bin/env python3
"""A tilt series of many pixels whose projections are known: spheres at random places, seen from 100 tilts.

    bench/large_series.py OUT.mrc [--size 1000] [--tilts 100] [--spheres 40]

Writes OUT.mrc (floats, images of SIZE x SIZE) and OUT.rawtlt. Spheres fall on whole pixels: it is there for sizes and
times, not for accuracy. Standard library only."""
import argparse
import array
import math
import pathlib
import random
import struct
import sys


def sphere(radius):
    """Rows of the chords through a sphere."""
    rows = []
    for v in range(-radius, radius + 1):
        width = int(math.sqrt(radius * radius - v * v))
        rows.append((v, -width, [2 * math.sqrt(max(0, radius * radius - v * v - u * u)) for u in range(-width, width + 1)]))
    return rows


def header(size, images):
    head = bytearray(1024)
    struct.pack_into("<10i", head, 0, size, size, images, 2, 0, 0, 0, size, size, images)
    struct.pack_into("<3f", head, 40, size, size, images)  # one Å a pixel
    struct.pack_into("<3f3i", head, 52, 90, 90, 90, 1, 2, 3)
    head[208:212] = b"MAP "
    head[212:216] = bytes([0x44, 0x44, 0, 0])
    return bytes(head)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--tilts", type=int, default=100)
    parser.add_argument("--spheres", type=int, default=40)
    a = parser.parse_args()
    n, draw = a.size, random.Random(5)
    shapes = [sphere(n * share // 100) for share in (2, 4, 6)]
    reach = 0.4 * n
    places = []
    while len(places) < a.spheres:
        x, z = draw.uniform(-reach, reach), draw.uniform(-reach, reach)
        if x * x + z * z < reach * reach:
            places.append((x, draw.uniform(-reach, reach), z, draw.choice(shapes)))
    tilts = [-74.25 + 148.5 * i / max(1, a.tilts - 1) for i in range(a.tilts)]
    a.out.parent.mkdir(parents=True, exist_ok=True)
    with open(a.out, "wb") as file:
        file.write(header(n, a.tilts))
        for theta in tilts:
            image = array.array("f", bytes(4 * n * n))
            c, s = math.cos(math.radians(theta)), math.sin(math.radians(theta))
            for x, y, z, shape in places:
                u, v = round(x * c - z * s) + n // 2, round(y) + n // 2
                for row, start, chords in shape:
                    at = (v + row) * n + u + start
                    for i, chord in enumerate(chords, at):
                        image[i] += chord
            image.tofile(file)
    a.out.with_suffix(".rawtlt").write_text("".join(f"{t:.4f}\n" for t in tilts))


if __name__ == "__main__":
    sys.exit(main())
