#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "convert --profile azure makes a fixed image of whole MiB"
requires jq
printf '%s\n' 'type dynamic' 'size 10000K' 'block 1 = pattern 1' | image a.vhd

vhdtool 0 convert --profile azure a.vhd up.vhd
vhdtool 0 inspect --json up.vhd
json_is '[.type, ."virtual-size"] | @csv' '"fixed",10485760'
equal "length of the file" $((10485760 + 512)) "$(stat -c %s up.vhd)"
vhdtool 0 compare a.vhd up.vhd
vhdtool 2 convert --profile azure -O raw a.vhd other.vhd
vhdtool 2 convert --profile azure -O dynamic a.vhd other.vhd
