#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "snapshots come and go, and the disk grows, while it is served"
vhdtool 0 create disk.vhd 32M
fill disk.vhd 1 0 4
serve "$PLUGIN" disk.vhd
vhdtool 0 snapshot create disk.vhd one
first=$(content disk@one.vhd)
io "$uri" "write -q -P 2 2M 4M"
vhdtool 0 snapshot create disk.vhd two
io "$uri" "write -q -P 3 3M 1M"
want=$(read_all)
equal "files" "disk.vhd disk@one.vhd disk@two.vhd" "$(echo *)"
vhdtool 0 snapshot delete disk.vhd two
equal "files" "disk.vhd disk@one.vhd" "$(echo *)"
equal "the first snapshot" "$first" "$(content disk@one.vhd)"
equal "the disk" "$want" "$(read_all)"
vhdtool 1 snapshot create disk.vhd one

vhdtool 5 resize --shrink disk.vhd 16M
vhdtool 0 resize disk.vhd +16M
equal "size for a new client" $((48 << 20)) "$(nbdinfo --size "$uri")"
vhdtool 0 snapshot delete disk.vhd one
equal "files" disk.vhd "$(echo *)"
stop
sound disk.vhd
