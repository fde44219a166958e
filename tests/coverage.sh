#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# coverage.sh [FLOOR...] - lines and branches of the library that its tests run
# (default: format image).  Needs gcc and its gcov (Debian: gcc), and Python.
# Fails below 95 % of the lines or 90 % of the branches.
#
# What is not run is listed in build/coverage/missed.
set -euo pipefail
cd "$(dirname "$0")/.."
floors=("$@")
[ $# -gt 0 ] || floors=(format image)
build=build/coverage
failed=0

cmake -S . -B $build -G Ninja -DCMAKE_BUILD_TYPE=Debug \
	-DCMAKE_C_FLAGS=--coverage >/dev/null
cmake --build $build >/dev/null
find $build -name '*.gcda' -delete
ctest --test-dir $build --timeout 900 --output-on-failure -Q -j "$(nproc)" \
	-R '^(unit|fuzz|faults-of|tree-model|crash-image-faults|api-hostile)' &&
	$build/tests/model/model --ops 300000 >/dev/null ||
	{ failed=1; echo "a test failed: the figures are of what it ran"; }

for floor in "${floors[@]}"; do
	find $build/libvhd/CMakeFiles/vhd_"$floor".dir -name '*.gcda'
done | while read -r data; do
	gcov --json-format --branch-probabilities --branch-counts --stdout "$data" 2>/dev/null
done | python3 -c '
import json, os, sys

total = [0, 0, 0, 0]
missed = open(sys.argv[1], "w")
for text in sys.stdin:
    for f in json.loads(text)["files"]:
        if not f["file"].endswith(".c"):
            continue
        name = f["file"].split("/libvhd/")[-1]
        lines = {}
        branches = {}
        for l in f["lines"]:
            n = l["line_number"]
            lines[n] = lines.get(n, 0) + l["count"]
            branches.setdefault(n, []).extend(b["count"] for b in l["branches"])
        flat = [b for n in branches for b in branches[n]]
        here = [sum(c > 0 for c in lines.values()), len(lines),
                sum(b > 0 for b in flat), len(flat)]
        total = [a + b for a, b in zip(total, here)]
        print("%-28s lines %4d of %4d   branches %4d of %4d" % (name, *here))
        for n in sorted(lines):
            if not lines[n]:
                print("libvhd/%s:%d: not run" % (name, n), file=missed)
            elif 0 in branches[n]:
                print("libvhd/%s:%d: %d of %d branches" % (
                    name, n, sum(b > 0 for b in branches[n]),
                    len(branches[n])), file=missed)
lines, branches = 100 * total[0] / total[1], 100 * total[2] / total[3]
print("%-28s lines %.1f %%   branches %.1f %%" % ("all", lines, branches))
if lines < 95 or branches < 90:
    sys.exit("too little: 95 % of the lines and 90 % of the branches are due")
' $build/missed
exit $failed
