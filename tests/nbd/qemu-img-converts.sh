#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "qemu-img converts from and into a disk, and finds them equal"
chain

nbdkit 0 -U - "$PLUGIN" leaf.vhd --run '
    qemu-img convert -O qcow2 "$uri" leaf.qcow2 &&
    qemu-img compare "$uri" leaf.qcow2'
vhdtool 0 create new.vhd 10M
nbdkit 0 -U - "$PLUGIN" new.vhd --run '
    qemu-img convert -n -O raw leaf.qcow2 "$uri" &&
    qemu-img compare "$uri" leaf.qcow2'
sound new.vhd
equal "content of the copy" "$(content leaf.vhd)" "$(content new.vhd)"
