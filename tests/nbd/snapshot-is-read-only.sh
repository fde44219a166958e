#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "snapshot= and exports with @ serve a snapshot, for reading only"
vhdtool 0 create disk.vhd 4M
nbdkit 0 -U - "$PLUGIN" disk.vhd --run 'qemu-io -f raw -c "write -P 1 0 64k" "$uri"'
mv disk.vhd disk@before.vhd
vhdtool 0 create --parent disk@before.vhd disk.vhd
nbdkit 0 -U - "$PLUGIN" disk.vhd --run 'qemu-io -f raw -c "write -P 2 0 64k" "$uri"'
before=$(state disk@before.vhd)

serve "$PLUGIN" disk.vhd snapshot=before
io_fails "Permission denied" "$uri" "write -P 3 0 64k"
run 0 qemu-io -r -f raw -c "read -P 1 0 64k" "$uri"
stop
serve "$PLUGIN" dir=.
run 0 qemu-io -r -f raw -c "read -P 1 0 64k" "$(export_uri disk@before.vhd)"
run 0 qemu-io -r -f raw -c "read -P 2 0 64k" "$(export_uri disk.vhd)"
run 0 nbdinfo --json "$(export_uri disk@before.vhd)"
json_is '.exports[0].is_read_only' true
stop
equal "the snapshot" "$before" "$(state disk@before.vhd)"
