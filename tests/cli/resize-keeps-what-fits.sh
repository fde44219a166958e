#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "resize grows by SIZE or +SIZE, and shrinks only with --shrink"
requires jq
printf '%s\n' 'type dynamic' 'size 10M' 'block 0 = pattern 1' \
    'block 4 = pattern 2' | image x.vhd
cp x.vhd old.vhd

size_is() # BYTES
{
	vhdtool 0 inspect --json x.vhd
	json_is '."virtual-size"' "$1"
	vhdtool 0 check x.vhd
}

vhdtool 0 resize x.vhd 12M
size_is $((12 << 20))
vhdtool 0 compare old.vhd x.vhd
vhdtool 0 resize x.vhd +4M
size_is $((16 << 20))
vhdtool 0 compare old.vhd x.vhd

before=$(state x.vhd)
vhdtool 1 resize x.vhd 8M
stderr_has "--shrink"
equal "x.vhd" "$before" "$(state x.vhd)"
vhdtool 0 resize --shrink x.vhd 8M
size_is $((8 << 20))
vhdtool 1 resize --shrink x.vhd 1000
size_is $((8 << 20))
