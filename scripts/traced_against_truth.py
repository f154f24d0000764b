#!/usr/bin/env python3
"""The analysis of traced atoms held against the analysis of the true positions.

    scripts/traced_against_truth.py TRACED_RUN TRUE_RUN TRUE_VACANCIES.extxyz

Both are run folders whose stage `analyze` measured coordination, phases, oxidation and vacancies with one cutoff. Atoms are
paired when each is the other's nearest within 1 Å. Needs numpy and scipy.
"""
import csv
import json
import re
import sys

import numpy as np
from scipy.spatial import cKDTree


def read_extxyz(path):
    """Columns by name; positions as 'pos'."""
    with open(path) as f:
        n = int(f.readline())
        head = f.readline()
        rows = [line.split() for line in (f.readline() for _ in range(n))]
    parts = re.search(r'Properties=(\S+)', head).group(1).split(':')
    columns, at = {}, 0
    for name, kind, width in zip(parts[0::3], parts[1::3], map(int, parts[2::3])):
        cells = [row[at:at + width] for row in rows]
        columns[name] = np.array(cells, dtype=float if kind in 'RI' else str)
        if width == 1:
            columns[name] = columns[name][:, 0]
        at += width
    return columns


def pairs(a, b, radius):
    """Indices of points that are each other's nearest within a radius."""
    d, to_b = cKDTree(b).query(a)
    _, to_a = cKDTree(a).query(b)
    mutual = (to_a[to_b] == np.arange(len(a))) & (d < radius)
    return np.flatnonzero(mutual), to_b[mutual]


def vacancies(folder):
    with open(f'{folder}/vacancies.csv') as f:
        rows = [r for r in csv.DictReader(f) if r['missed_atom'] == '0']
    return np.array([[float(r[k]) for k in ('x_A', 'y_A', 'z_A')] for r in rows]).reshape(-1, 3)


def main(traced_run, true_run, true_vacancies):
    traced, truth = (read_extxyz(f'{run}/atoms-analyzed.extxyz') for run in (traced_run, true_run))
    numbers = [json.load(open(f'{run}/analysis.json')) for run in (traced_run, true_run)]
    i, j = pairs(traced['pos'], truth['pos'], 1.0)
    print(f"pairs                {len(i)} of {len(truth['pos'])} true atoms")
    print(f"labels that agree    {np.mean(traced['phase'][i] == truth['phase'][j]):.4f}")
    for key, path in (('oxidation by volume', ('oxidation', 'by_volume')), ('mean bond (Å)', ('phases',))):
        a, b = numbers
        for part in path:
            a, b = a[part], b[part]
        field = 'mean' if 'oxidation' in path else 'mean_bond_length_A'
        for phase in ('metal', 'c-ZrO2', 'a-ZrO2'):
            x, y = a[phase][field], b[phase][field]
            print(f'{key:20} {phase:7} traced {x:.3f}, true {y:.3f}, difference {x - y:+.3f}')
    for key in ('mean', 'mean_inside'):
        x, y = (n['coordination'][key] for n in numbers)
        print(f'coordination, {key:12} traced {x:.3f}, true {y:.3f}, difference {x - y:+.3f}')
    found, true = vacancies(traced_run), read_extxyz(true_vacancies)['pos']
    near = lambda a, b: float(np.mean(cKDTree(b).query(a)[0] < 1.0)) if len(a) and len(b) else float('nan')
    print(f'vacancies            recall {near(true, found):.3f}, precision {near(found, true):.3f}, {len(found)} found')


if __name__ == '__main__':
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
