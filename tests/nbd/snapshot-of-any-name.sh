#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "snapshot= finds what vhdtool snapshot made, whatever the disk is called"
mkdir links
for disk in disk.vhd disk vm.2024 v1.0 disk.vhd-of-may .hidden .hidden.vhd; do
	vhdtool 0 create "$disk" 4M
	nbdkit 0 -U - "$PLUGIN" "$disk" \
	    --run 'qemu-io -f raw -c "write -P 1 0 64k" "$uri"'
	vhdtool 0 snapshot create "$disk" one
	nbdkit 0 -U - "$PLUGIN" "$disk" \
	    --run 'qemu-io -f raw -c "write -P 2 0 64k" "$uri"'
	ln -s "../$disk" "links/$disk"
	for way in "$disk" "links/$disk"; do
		nbdkit 0 -U - "$PLUGIN" "$way" snapshot=one \
		    --run 'qemu-io -r -f raw -c "read -P 1 0 64k" "$uri"'
	done
	vhdtool 0 serve --snapshot one "$disk" -- \
	    --run 'qemu-io -r -f raw -c "read -P 1 0 64k" "$uri"'
done
ln -s disk.vhd gone@x.vhd
nbdkit 0 -U - "$PLUGIN" gone@x.vhd snapshot=one \
    --run 'qemu-io -r -f raw -c "read -P 1 0 64k" "$uri"'
nbdkit 1 -U - "$PLUGIN" none.vhd snapshot=one --run true
stderr_has "none@one.vhd: .*No such file"
