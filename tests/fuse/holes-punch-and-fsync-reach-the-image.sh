#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "holes are holes, a punched one gives space back, fsync is durable"
requires_fuse
requires python3 fallocate
vhdtool 0 create disk.vhd 100M

serve disk.vhd
noise 10 1 | dd of=m/disk bs=1M seek=10 conv=notrunc status=none
cat >seek.py <<'END'
import os, sys
f = os.open(sys.argv[1], os.O_RDONLY)
end = os.lseek(f, 0, os.SEEK_END)
at, got = 0, []
while at < end:
    try:
        data = os.lseek(f, at, os.SEEK_DATA)
    except OSError:
        break
    at = os.lseek(f, data, os.SEEK_HOLE)
    got.append('%d-%d' % (data >> 20, at >> 20))
print(*got)
END
equal "data" "10-20" "$(python3 seek.py m/disk)"
sync m/disk disk.vhd
before=$(stat -c %b disk.vhd)
fallocate -p -o 12M -l 4M m/disk || fail fallocate "exit 0" "exit $?"
equal "data after the punch" "10-12 16-20" "$(python3 seek.py m/disk)"
equal "punched bytes" "$(head -c 4M /dev/zero | sha256sum)" \
    "$(dd if=m/disk bs=1M skip=12 count=4 status=none | sha256sum)"
sync m/disk disk.vhd
after=$(stat -c %b disk.vhd)
[ $((before - after)) -ge $((8192 - 64)) ] ||
	fail "blocks of the image" "8192 less than $before" "$after"
equal "blocks of the file" "$(stat -c %b m/disk)" "$after"
fallocate -z -o 17M -l 1M m/disk || fail "fallocate -z" "exit 0" "exit $?"
equal "zeroed bytes" "$(head -c 1M /dev/zero | sha256sum)" \
    "$(dd if=m/disk bs=1M skip=17 count=1 status=none | sha256sum)"
fallocate -l 200M m/disk 2>/dev/null &&
	fail "fallocate beyond the end" "an error" "exit 0"
sync m/disk
want=$(hash_of m/disk)
killed
server=
fusermount3 -u -z m
equal "content after a kill" "$want" "$(content disk.vhd)"
vhdtool 0 check disk.vhd
