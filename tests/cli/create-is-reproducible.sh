#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "with --uuid and --created the same command makes the same bytes"
id=1b4e28ba-2fa1-11d2-883f-b9a761bde3fb

same() # ARGUMENT...
{
	vhdtool 0 create --uuid $id --created @1319716800 "$@"
	mv x.vhd first
	vhdtool 0 create --uuid $id --created @1319716800 "$@"
	cmp -s x.vhd first || fail "$last" "the same bytes again" "others"
	rm x.vhd
}

same x.vhd 10M
same --type fixed x.vhd 1M
vhdtool 0 create base.vhd 10M
same --parent base.vhd x.vhd
