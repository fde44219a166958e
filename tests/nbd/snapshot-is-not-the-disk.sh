#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "who asks a server of one disk for a snapshot does not get the disk"
vhdtool 0 create disk.vhd 4M
serve "$PLUGIN" disk.vhd
for name in '' disk.vhd any-name; do
	run 0 nbdinfo "$(export_uri "$name")"
done
run 1 nbdinfo "$(export_uri disk@before.vhd)"
log_has "'disk@before.vhd' is not served, only .*/disk.vhd is"
