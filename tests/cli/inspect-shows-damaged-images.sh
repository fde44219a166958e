#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "inspect shows an image without its last footer, and refuses what is no VHD"
requires jq
printf '%s\n' 'type dynamic' 'size 10M' 'block 1 = pattern 1' | image x.vhd
truncate -s -512 x.vhd

vhdtool 0 inspect --json x.vhd
json_is '[.type, ."virtual-size", ."blocks-allocated"] | @csv' \
    '"dynamic",10485760,1'
json_is '."footer-copies"' end-missing

printf 'no disk at all, just text %1000s\n' "" >text
vhdtool 1 inspect text
stdout_is ""
stderr_has "^vhdtool: .*text"
