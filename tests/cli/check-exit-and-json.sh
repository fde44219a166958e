#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "check exits 3 for errors, 0 for less, and lists findings with their keys"
requires jq python3
python3 -B "$refvhd" damage V73 bad.vhd
python3 -B "$refvhd" damage V08 odd.vhd
chain

vhdtool 0 check --json base.vhd
json_is 'keys | join(" ")' "errors filename findings repaired warnings"
json_is '[.filename, .errors, .repaired, .findings] | @json' \
    '["base.vhd",0,0,[]]'
vhdtool 0 check base.vhd
stdout_is "base.vhd: nothing found"
vhdtool 0 check --chain leaf.vhd
stdout_has "^leaf.vhd: 0 errors, 0 warnings|nothing found$"

vhdtool 3 check --json bad.vhd
json_is '.findings[0] | keys | join(" ")' \
    "code message offset repairable severity"
json_is '.findings | map(select(.code == "V73"))[0].severity' error
json_is '.errors > 0' true
vhdtool 3 check bad.vhd
stdout_has '^error V73: '
stdout_has '^bad\.vhd: [1-9][0-9]* error'

vhdtool 3 check --json --chain bad.vhd
json_is '.findings[0] | keys | join(" ")' \
    "code filename message offset repairable severity"
vhdtool 1 check nowhere.vhd
stdout_is ""
