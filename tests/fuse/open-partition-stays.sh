#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a partition that is open stays where it is while the table changes"
requires_fuse
requires sfdisk
vhdtool 0 create disk.vhd 20M
table()
{
	echo "start=$1, size=2048" | sfdisk --no-reread -q m/disk >/dev/null
}

serve disk.vhd
table 4096
exec 5<>m/p1
table 8192
ls m >/dev/null
printf old >&5
exec 5>&-
equal "written through the open one" old \
    "$(dd if=m/disk bs=512 skip=4096 count=1 status=none | head -c 3)"
ls m >/dev/null
printf new | dd of=m/p1 conv=notrunc status=none
equal "written through the new one" new \
    "$(dd if=m/disk bs=512 skip=8192 count=1 status=none | head -c 3)"
unserve
