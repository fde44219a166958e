#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "the stats filter counts our requests"
vhdtool 0 create disk.vhd 16M
nbdkit 0 -U - --filter=stats "$PLUGIN" disk.vhd statsfile=stats --run '
    qemu-io -f raw -c "write -P 1 0 64k" -c flush -c "discard 0 64k" "$uri"'
for what in 'write: 1 ops' 'flush: [0-9]+ ops' 'trim: 1 ops'; do
	grep -qE "^$what" stats || fail "stats" "/$what/" "$(cat stats)"
done
