#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "check --repair mends, its --dry-run does not, --restore takes it back"
requires jq python3
python3 -B "$refvhd" damage V04 x.vhd
before=$(state x.vhd)
bytes=$(sha256sum <x.vhd)

vhdtool 0 check --json --repair --dry-run x.vhd
json_is '.findings | map(select(.code == "V04"))[0].repairable' true
equal "x.vhd after the dry run" "$before" "$(state x.vhd)"

vhdtool 0 check --json --repair --undo x.undo x.vhd
json_is '.findings | map(select(.code == "V04"))[0].repaired' true
json_is '.repaired > 0' true
vhdtool 0 check --json x.vhd
json_is '.findings | map(.code) | index("V04")' null

vhdtool 0 check --restore x.undo x.vhd
stdout_is ""
equal "x.vhd, put back" "$bytes" "$(sha256sum <x.vhd)"
