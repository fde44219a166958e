#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "cache=on reads and writes the same bytes, through memory maps too"
requires_fuse
requires python3
vhdtool 0 create disk.vhd 20M
serve -o cache=on disk.vhd
noise 10 1 | dd of=m/disk bs=100K conv=notrunc status=none
python3 - <<'END' || fail "a memory map" "written" "exit $?"
import mmap, os
f = os.open('m/disk', os.O_RDWR)
with mmap.mmap(f, 0) as m:
    assert m[5 << 20:(5 << 20) + 3] != b'map'
    m[5 << 20:(5 << 20) + 3] = b'map'
    m[(15 << 20) + 1:(15 << 20) + 4] = b'map'
    m.flush()
os.fsync(f)
END
want=$(hash_of m/disk)
unserve
equal "content" "$want" "$(content disk.vhd)"
no_findings disk.vhd
