#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# After every deletion, in random order, all other states read the same.
memory=/tmp
[ ! -w /dev/shm ] || memory=/dev/shm
dir=$(mktemp -d "${TMPDIR:-$memory}/vhd-many.XXXXXX") || exit 99
trap 'rm -rf "$dir"' EXIT
"$MANY" 60 "$dir"
