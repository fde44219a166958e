#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tree-of-ten-thousand.py - how long it takes to draw a tree of 10,000 images.

    tree-of-ten-thousand.py BUILD_DIR [IMAGES]

Says the best of five for each form; fails when text takes more than 1.5 s.
The images stand on each other at random, up to 60 deep.
"""
import os
import random
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'support'))
from refvhd import MiB  # noqa: E402
from vhdmake import Recipe  # noqa: E402


def make(count):
    rnd, depth = random.Random(1), [1]
    Recipe(size=8 * MiB).write_file('disk0.vhd')
    for i in range(1, count):
        parent = rnd.randrange(max(0, i - 500), i)
        while depth[parent] >= 60:
            parent = rnd.randrange(i)
        depth.append(depth[parent] + 1)
        Recipe('differencing', 8 * MiB,
               parent=f'disk{parent}.vhd').write_file(f'disk{i}.vhd')


def best(*argv):
    times = []
    for _ in range(5):
        begin = time.monotonic()
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
        times.append(time.monotonic() - begin)
    return min(times)


def main():
    vhdtool = os.path.join(os.path.abspath(sys.argv[1]), 'vhdtool', 'vhdtool')
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
    with tempfile.TemporaryDirectory(prefix='vhd-tree-') as place:
        os.chdir(place)
        make(count)
        text = best(vhdtool, 'tree', '.')
        print(f'{count} images: text {text:.2f} s, '
              f'JSON {best(vhdtool, "tree", "--json", "."):.2f} s, '
              f'SVG {best(vhdtool, "tree", "--svg", "-", "."):.2f} s, '
              'snapshot list '
              f'{best(vhdtool, "snapshot", "list", "disk9.vhd"):.2f} s')
        os.chdir('/')
    sys.exit(text > 1.5)


main()
