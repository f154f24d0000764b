#!/usr/bin/env python3
"""The same tilt series at a lower dose: each electron of an image of counts is kept with a probability, which makes exactly
Poisson's noise of that share of the dose.

    bench/thin_counts.py COUNTS.mat SHARE OUT.mat [--seed 1]

COUNTS.mat holds one array of whole numbers. Needs numpy and scipy."""
import argparse

import numpy
import scipy.io


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("counts")
    parser.add_argument("share", type=float)
    parser.add_argument("out")
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    arrays = {k: v for k, v in scipy.io.loadmat(a.counts).items() if not k.startswith("__")}
    (name, counts), = arrays.items()
    if not 0 < a.share <= 1 or (counts != counts.round()).any() or counts.min() < 0:
        raise SystemExit(f"{a.counts}: expected one array of whole numbers, and a share between 0 and 1")
    thinned = numpy.random.default_rng(a.seed).binomial(counts.astype(numpy.int64), a.share)
    scipy.io.savemat(a.out, {name: thinned.astype(counts.dtype)}, do_compression=True)


if __name__ == "__main__":
    main()
