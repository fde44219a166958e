#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a file that may only be read is served read-only"
[ "$(id -u)" -ne 0 ] || requires setpriv
vhdtool 0 create disk.vhd 4M
chmod 444 disk.vhd
# Root without the right to pass over modes.
as=()
[ "$(id -u)" -ne 0 ] ||
	as=(setpriv --bounding-set=-dac_override,-dac_read_search
	    --inh-caps=-dac_override,-dac_read_search)
run 0 env LD_PRELOAD="$PRELOAD" "${as[@]}" nbdkit -U - "$PLUGIN" disk.vhd \
    --run 'nbdinfo --json "$uri"'
json_is '.exports[0].is_read_only' true
