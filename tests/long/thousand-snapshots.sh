#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# thousand-snapshots.sh - 1,000 snapshots of one disk are deleted in random
# order; after each deletion all the others read what they did.
#
#	bash tests/long/thousand-snapshots.sh BUILD_DIR [SEED [EVERY [TURN]]]
#
# Half a million disks are read, less when only every EVERYth deletion is
# followed by a look at the others.  After one in TURN snapshots the disk goes
# back to another; the fewer, the longer the chains are.  docs/testing.md says
# how long it takes.
set -eu
build=$(cd "${1:?usage: thousand-snapshots.sh BUILD_DIR [SEED [EVERY [TURN]]]}" && pwd)
dir=$(mktemp -d "${TMPDIR:-/tmp}/vhd-many.XXXXXX")
trap 'rm -rf "$dir"' EXIT
"$build/tests/tree/many" --seed "${2:-1}" --every "${3:-1}" \
	--turn "${4:-20}" 1000 "$dir"
