#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "reads and writes need no alignment, and the parent is never touched"
chain
before=$(state base.vhd mid.vhd)
python3 -B "$refvhd" raw leaf.vhd want.raw

commands=("write -P 1 1 1" "write -P 2 511 2" "write -P 3 2097100 104"
    "write -P 4 3000001 1500000" "write -P 5 10485759 1"
    "write -z 5000000 300001" "write -zu 8388608 4096")
serve "$PLUGIN" leaf.vhd
io "$uri" "${commands[@]}" "read -P 1 1 1" "read -P 2 511 2" \
    "read -P 4 3000001 1500000" "read -P 0 5000000 300001" flush
stop
run 0 qemu-io -f raw "${commands[@]/#/-c}" want.raw
content_is leaf.vhd want.raw
equal "the parents" "$before" "$(state base.vhd mid.vhd)"
sound leaf.vhd
