#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# After every deletion, in random order, all other states read the same.
dir=$(mktemp -d "${TMPDIR:-/tmp}/vhd-many.XXXXXX") || exit 99
trap 'rm -rf "$dir"' EXIT
"$MANY" 60 "$dir"
