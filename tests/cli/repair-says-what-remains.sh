#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "what a repair could not mend remains, is said so, and is not offered \
again"
requires jq python3
python3 -B "$refvhd" damage V73 bad.vhd
vhdtool 3 check --repair bad.vhd
stdout_has '^error V73: .* \(remains\)$'
vhdtool 3 check --repair --json bad.vhd
json_is '.findings | map(select(.code == "V73"))[0] |
    [.repairable, .repaired] | @csv' 'false,false'

# Two at once: what the one would be mended by is what the other has damaged.
python3 -B "$refvhd" damage V04.sum one.vhd
python3 -B "$refvhd" damage V71 two.vhd
python3 - <<'END'
one, two = open('one.vhd', 'rb').read(), bytearray(open('two.vhd', 'rb').read())
two[:512] = one[:512]
two[-512:] = one[-512:]
open('both.vhd', 'wb').write(two)
END
vhdtool 3 check --repair --json both.vhd
equal "findings that are left and claim to be repairable" "" \
    "$(json '.findings[] | select(.repaired == false and .repairable).code')"
vhdtool 3 check --repair both.vhd
stdout_has ' \(remains\)$'
