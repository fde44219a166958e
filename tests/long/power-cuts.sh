#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# power-cuts.sh - cut the power at very many flushes of the real programs; see
# tests/power/power.py.
#
#	tests/long/power-cuts.sh BUILD_DIR [STATES [SEED [WHERE]]]
#
# At least STATES (10000) on each of: plain files, and ext4, xfs and btrfs whose
# device loses what was not flushed; in worlds of 600 states, by turns through
# nbdkit and vhdfuse; or only WHERE of these, such as "files xfs".  Needs root
# for all but the first.
set -euo pipefail
build=$(cd "${1:?usage: power-cuts.sh BUILD_DIR [STATES [SEED [WHERE]]]}" && pwd)
states=${2:-10000} first=${3:-100} where=${4:-files ext4 xfs btrfs}
power=$(cd "$(dirname "$0")/../power" && pwd)/power.py

world() # ON THROUGH SEED
{
	python3 -B "$power" --on "$1" --through "$2" --seed "$3" --states 600 \
	    --vhdtool "$build/vhdtool/vhdtool" \
	    --plugin "$build/nbdkit-plugin/nbdkit-vhd-plugin.so" \
	    --vhdfuse "$build/fuse/vhdfuse" \
	    --passfs "$build/tests/helpers/passfs" \
	    --guest "$build/tests/helpers/guest"
}

for on in $where; do
	seen=0 flushes=0 seed=$first
	while [ $seen -lt "$states" ]; do
		[ $((seed % 2)) = 0 ] && through=nbd || through=fuse
		out=$(world $on $through $seed) || {
			status=$?
			echo "$out"
			[ $status = 77 ] || exit 1
			break
		}
		seed=$((seed + 1))
		read -r n f < <(sed -nE \
		    's/.*; ([0-9]+) states at ([0-9]+) flushes.*/\1 \2/p' <<<"$out")
		seen=$((seen + n)) flushes=$((flushes + f))
	done
	echo "$on: $seen states at $flushes flushes of $((seed - first)) worlds," \
	    "no violation"
done
