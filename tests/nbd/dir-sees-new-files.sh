#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
# Nobody else has it open?
vhdtool_can_write() # FILE
{
	"$VHDTOOL" compact "$1" >/dev/null 2>&1
}

claim "dir= serves files that appear later, and lets go of those not in use"
serve "$PLUGIN" dir=.
run 1 nbdinfo "$(export_uri later.vhd)"
log_has "later.vhd: there is no such disk"
: >"$place/log"

vhdtool 0 create later.vhd 16M
run 0 nbdinfo --list --json "$uri"
json_is '.exports | length' 1
io "$(export_uri later.vhd)" "write -P 1 0 64k" flush
await "the end of the last client" vhdtool_can_write later.vhd
mv later.vhd other.vhd
io "$(export_uri other.vhd)" "read -P 1 0 64k"
run 1 nbdinfo "$(export_uri later.vhd)"
