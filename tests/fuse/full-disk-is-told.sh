#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "no space is ENOSPC to whoever writes or unmounts, and nothing is lost"
requires_fuse
[ "$(id -u)" = 0 ] || skip "a small file system needs root"
export VHD_FUSE=$VHDFUSE
mkdir small
mount -t tmpfs -o size=8M tmpfs small 2>/dev/null || skip "no tmpfs"
mounts+=("$PWD/small")
vhdtool 0 create small/disk.vhd 100M
mkdir m
vhdtool 0 mount small/disk.vhd m
noise 2 1 | dd of=m/disk bs=1M conv=notrunc,fsync status=none ||
	fail "2 MiB" "exit 0" "exit $?"
message=$(dd if=/dev/urandom of=m/disk bs=1M seek=10 count=50 \
    conv=notrunc,fsync 2>&1) && fail "50 MiB" "an error" "exit 0"
[[ $message == *"No space left"* ]] ||
	fail "50 MiB" "No space left on device" "$message"
equal "what was there" "$(noise 2 1 | sha256sum)" \
    "$(head -c 2M m/disk | sha256sum)"
"$VHDTOOL" umount m 2>"$err" || {
	equal "umount: exit" 4 $?
	stderr_has "No space left"
	fusermount3 -u m
}
for _ in $(seq 100); do
	"$VHDTOOL" check small/disk.vhd >"$out" 2>"$err" && break
	sleep 0.05
done
stdout_has ": 0 errors"
vhdtool 0 convert -O raw small/disk.vhd raw.img
equal "what was synced" "$(noise 2 1 | sha256sum)" \
    "$(head -c 2M raw.img | sha256sum)"
