#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "vhdtool serve serves a disk or a directory, and passes options on"
chain
export VHD_NBDKIT_PLUGIN=$PLUGIN LD_PRELOAD=$PRELOAD
"$VHDTOOL" serve --socket "$sock" leaf.vhd -- -P "$place/pid" \
    2>"$place/log" &
server=$!
await "the server" test -s "$place/pid"
run 0 nbdcopy "$uri" out.raw
stop
content_is leaf.vhd out.raw

# The socket is still there, and nobody listens: it is not in the way.
"$VHDTOOL" serve --background -r --socket "$sock" . -- -P "$place/pid" ||
	fail "serve --background" "exit 0" "exit $?"
server=$(cat "$place/pid")
run 0 nbdinfo --json "$(export_uri mid.vhd)"
json_is '.exports[0].is_read_only' true
run 1 nbdinfo "$(export_uri none.vhd)"
kill "$server"
while kill -0 "$server" 2>/dev/null; do sleep 0.05; done
server=
vhdtool 0 serve -r leaf.vhd -- --filter=stats statsfile=stats \
    --run 'nbdcopy "$uri" null:'
grep -q '^read: ' stats || fail "filter of nbdkit" "counts reads" none
