#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "nbdcopy reads a disk and fills one, and holes stay holes"
chain

nbdkit 0 -U - "$PLUGIN" leaf.vhd --run 'nbdcopy "$uri" leaf.raw'
content_is leaf.vhd leaf.raw
vhdtool 0 create new.vhd 10M
nbdkit 0 -U - "$PLUGIN" new.vhd --run 'nbdcopy leaf.raw "$uri"'
content_is new.vhd leaf.raw
sound new.vhd
vhdtool 0 inspect --json new.vhd
json_is '."blocks-allocated"' 4
