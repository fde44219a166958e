#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a name that is more than that of a file in the directory is refused"
mkdir inside
vhdtool 0 create outside.vhd 1M
vhdtool 0 create inside/.hidden.vhd 1M
vhdtool 0 create inside/disk.vhd 1M
mkfifo inside/fifo.vhd
ln -s /dev/zero inside/zero.vhd
serve "$PLUGIN" dir=inside

for name in ../outside.vhd %2Fetc%2Fpasswd .hidden.vhd . .. disk.vhd/ \
    fifo.vhd zero.vhd ./disk.vhd "$PWD/outside.vhd" \
    "$(printf 'x%.0s' $(seq 4000))"; do
	run 1 nbdinfo "$(export_uri "$name")"
done
run 0 nbdinfo "$(export_uri disk.vhd)"
