#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# run.sh - measure libvhd against its peers on this machine; see README.md.
#
#	cmake --preset release && cmake --build --preset release
#	bench/run.sh [--json FILE] [nbd] [CASE...]
here=$(cd "$(dirname "$0")" && pwd) || exit 1
exec python3 -B "$here/bench.py" "$@"
