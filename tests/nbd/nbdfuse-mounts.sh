#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "nbdfuse makes a file of the disk"
requires nbdfuse fusermount3
[ -c /dev/fuse ] || skip "no /dev/fuse"
chain
mkdir mnt
serve "$PLUGIN" leaf.vhd
nbdfuse mnt/disk "$uri" 2>"$err" &
client=$!
for _ in $(seq 100); do
	[ -e mnt/disk ] && break
	kill -0 $client 2>/dev/null || skip "nbdfuse: $(cat "$err")"
	sleep 0.05
done
equal "content through nbdfuse" "$(content leaf.vhd)" \
    "$(sha256sum <mnt/disk | cut -d' ' -f1)"
fusermount3 -u mnt
wait $client
stop
