#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "with -r nothing can be changed, and nothing is, not even a time stamp"
chain
before=$(state ./*.vhd)
serve -r "$PLUGIN" leaf.vhd readonly=true
run 0 nbdinfo --json "$uri"
json_is '.exports[0].is_read_only' true
run 0 nbdcopy "$uri" null:
nbdkit 0 -r -U - "$PLUGIN" leaf.vhd readonly=true --run 'nbdcopy "$uri" null:'
stop
equal "the images" "$before" "$(state ./*.vhd)"
