#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "SIGTERM, SIGINT and SIGHUP end what is in progress and close the disk"
requires_fuse
for signal in TERM INT HUP; do
	rm -f disk.vhd
	vhdtool 0 create disk.vhd 200M
	serve disk.vhd
	noise 3 1 | dd of=m/disk bs=1M conv=notrunc status=none
	dd if=/dev/zero of=m/disk bs=64K seek=64 count=2000 conv=notrunc \
	    2>/dev/null &
	writer=$!
	sleep 0.05
	kill -$signal "$server"
	wait "$server"
	equal "exit after SIG$signal" 0 $?
	server=
	equal "messages" "" "$(cat "$err")"
	mountpoint -q m && fail "SIG$signal" "no mount" "one"
	wait $writer
	no_findings disk.vhd
	vhdtool 0 convert -O raw --force disk.vhd raw.img
	equal "what was written" "$(noise 3 1 | sha256sum)" \
	    "$(head -c 3M raw.img | sha256sum)"
done
