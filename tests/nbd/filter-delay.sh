#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "requests of one client run in parallel, also behind the delay filter"
requires fio
vhdtool 0 create disk.vhd 16M
serve --filter=delay "$PLUGIN" disk.vhd rdelay=100ms
from=$(date +%s%N)
run 0 fio --name=x --ioengine=nbd --uri="$uri" --rw=randread --bs=4k \
    --iodepth=16 --number_ios=64 --size=16M
took=$((($(date +%s%N) - from) / 1000000))
[ $took -lt 4000 ] ||
	fail "64 reads of 100 ms, 16 at a time" "well below 6400 ms" "$took ms"
stop
