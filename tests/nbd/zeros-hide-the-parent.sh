#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "zeros and trims of a child never uncover what its parent holds"
chain
serve "$PLUGIN" leaf.vhd
io "$uri" "write -zu 0 4M" "discard 4M 4M" "read -P 0 0 4M" flush
run 0 nbdcopy "$uri" after.raw
stop
run 0 cmp -n 4194304 after.raw /dev/zero
sound leaf.vhd
content_is leaf.vhd after.raw
