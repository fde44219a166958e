#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "snapshots/ has what vhdtool snapshot made, whatever the disk is called"
requires_fuse
mkdir links
for disk in disk vm.2024 disk.vhd-of-may .hidden .hidden.vhd; do
	vhdtool 0 create "$disk" 4M
	vhdtool 0 snapshot create "$disk" v1.0
	ln -s "../$disk" "links/$disk"
	serve "links/$disk"
	equal "snapshots of $disk" v1.0 "$(ls m/snapshots)"
	unserve
done
