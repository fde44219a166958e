#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "vhdtool finds a server whose control socket is elsewhere"
vhdtool 0 create disk.vhd 16M
serve "$PLUGIN" disk.vhd control="$place/c.sock"
vhdtool 0 job list disk.vhd
stdout_is "no job"
# The live disk is another file now.
vhdtool 0 snapshot create disk.vhd one
vhdtool 0 compact disk.vhd
kill_server

# A killed server leaves socket and link.
serve "$PLUGIN" disk.vhd control="$place/c.sock"
vhdtool 0 snapshot delete disk.vhd one
stop
[ ! -e "$place/c.sock" ] || fail "c.sock" "gone with the server" "there"
for link in "$sockets"/*; do
	[ "$(readlink "$link")" != "$place/c.sock" ] ||
		fail "$link" "gone with the server" "there"
done
