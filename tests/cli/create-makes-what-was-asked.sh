#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "create makes the type, size, block size, creator and time asked for"
requires jq

is() # TYPE SIZE BLOCK_SIZE CREATOR
{
	vhdtool 0 inspect --json x.vhd
	json_is '[.type, ."virtual-size", ."block-size", ."creator-app"] | @csv' \
	    "\"$1\",$2,$3,\"$4\""
	vhdtool 0 check x.vhd
	rm x.vhd
}

vhdtool 0 create x.vhd 10M
is dynamic 10485760 2097152 "win "
vhdtool 0 create --type fixed x.vhd 3M
is fixed 3145728 0 "win "
vhdtool 0 create --block-size 512K x.vhd 10M --creator vpc
is dynamic 10485760 524288 "vpc "
vhdtool 0 create --profile azure x.vhd 20M
is fixed 20971520 0 "win "
vhdtool 2 create --profile azure x.vhd 1000000
stderr_has "whole MiB"

vhdtool 0 create x.vhd 10M --created 2011-10-27T12:00:00Z \
    --uuid 1b4e28ba-2fa1-11d2-883f-b9a761bde3fb
vhdtool 0 inspect --json x.vhd
json_is .created 2011-10-27T12:00:00Z
json_is .uuid 1b4e28ba-2fa1-11d2-883f-b9a761bde3fb
