#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a regular file can be the mount point, and becomes the disk"
requires_fuse
chain
echo before >one

vhdfuse 0 leaf.vhd one
equal "content" "$(content leaf.vhd)" "$(hash_of one)"
noise 1 1 | dd of=one bs=1M seek=3 conv=notrunc status=none
want=$(hash_of one)
vhdtool 0 umount one
equal "the file again" before "$(cat one)"
equal "content of the image" "$want" "$(content leaf.vhd)"
no_findings leaf.vhd
