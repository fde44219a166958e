#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "the retry filter closes and opens the disk again, and carries on"
vhdtool 0 create disk.vhd 16M
serve --filter=retry --filter=error "$PLUGIN" disk.vhd retries=3 \
    retry-delay=1 error-pread=EIO error-pread-rate=100% \
    error-pread-file="$place/trigger"
io "$uri" "write -P 1 0 64k"
: >"$place/trigger"
(sleep 0.5; rm "$place/trigger") &
io "$uri" "read -P 1 0 64k"
wait $!
end_server
server=
