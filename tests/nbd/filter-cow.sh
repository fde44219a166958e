#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "the cow filter takes writes, and the disk stays as it was"
chain
before=$(state ./*.vhd)
nbdkit 0 -U - --filter=cow "$PLUGIN" leaf.vhd readonly=true --run '
    qemu-io -f raw -c "write -P 9 1000 3M" -c "read -P 9 1000 3M" \
        -c "write -z 5M 1M" -c flush "$uri"'
equal "the images" "$before" "$(state ./*.vhd)"
