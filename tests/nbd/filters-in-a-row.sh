#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a stack of other filters works over a chain: what is written is read"
chain
for filter in blocksize log nocache noextents nozero noparallel fua multi-conn \
    truncate offset readahead cacheextents checkwrite; do
	[ -e "$(command nbdkit --dump-config | sed -n 's/^filterdir=//p')/nbdkit-$filter-filter.so" ] ||
		continue
	more=
	case $filter in
	log) more="logfile=$place/filter.log" ;;
	checkwrite) continue ;;
	esac
	nbdkit 0 -U - --filter=$filter "$PLUGIN" leaf.vhd $more --run '
	    qemu-io -f raw -c "write -P 9 1M 300k" -c "write -z 1M 4k" \
	        -c "discard 6M 1M" -c flush -c "read -P 9 1052672 299008" \
	        -c "read -P 0 1M 4k" "$uri"'
done
python3 -B "$refvhd" raw leaf.vhd leaf.raw
nbdkit 0 -U - --filter=checkwrite "$PLUGIN" leaf.vhd --run 'nbdcopy leaf.raw "$uri"'
sound leaf.vhd
