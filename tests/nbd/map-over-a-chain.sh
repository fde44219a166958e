#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "nbdinfo --map is exact over a whole chain"
chain

# What the three recipes of chain() store together, in sectors of 512: blocks
# 0 and 2, sectors 0 to 149 of block 1, sectors 0 to 7 of block 4.
nbdkit 0 -U - "$PLUGIN" leaf.vhd --run 'nbdinfo --map --json "$uri"'
json_is 'map([.offset, .length, .type]) | map(@csv) | join(" ")' \
    '0,2173952,0 2173952,2020352,3 4194304,2097152,0 6291456,2097152,3 8388608,4096,0 8392704,2093056,3'
nbdkit 0 -U - "$PLUGIN" leaf.vhd --run 'nbdinfo --map --totals --json "$uri"'
json_is '.[] | select(.type == 0).size' 4275200
