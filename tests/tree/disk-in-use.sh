#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a disk in use: exit 5, by whom, and nothing changes; looking is free"
disk
vhdtool 0 snapshot clone disk.vhd one clone.vhd
mkfifo "$place/hold" "$place/ready"
"$HELPERS/guest" --hold disk.vhd <"$place/hold" >"$place/ready" &
holder=$!
exec 3>"$place/hold"
read -r <"$place/ready"
for command in 'create disk.vhd x' 'revert disk.vhd one' \
    'revert --keep x disk.vhd one' 'delete disk.vhd one' \
    'delete --tree disk.vhd two' 'rename disk.vhd one x'; do
	# shellcheck disable=SC2086
	refused 5 "disk.vhd: in use for writing by guest \(pid $holder, since" \
	    snapshot $command
done
vhdtool 0 snapshot list disk.vhd
vhdtool 0 tree .
vhdtool 0 snapshot delete --dry-run disk.vhd one
vhdtool 0 snapshot clone disk.vhd one more.vhd
exec 3>&-
wait $holder

# Somebody reads the snapshot alone.
"$HELPERS/guest" --look disk@one.vhd <"$place/hold" >"$place/ready" &
holder=$!
exec 3>"$place/hold"
read -r <"$place/ready"
refused 5 "in use for reading by guest \(pid $holder" \
    snapshot delete disk.vhd one
refused 5 "in use for reading by guest \(pid $holder" \
    snapshot rename disk.vhd one x
exec 3>&-
wait $holder
vhdtool 0 snapshot delete disk.vhd one

# Somebody reads the parent that the disk would be merged into.
"$HELPERS/guest" --look disk@two.vhd <"$place/hold" >"$place/ready" &
holder=$!
exec 3>"$place/hold"
read -r <"$place/ready"
before=$(sha256sum ./*.vhd)
vhdtool 5 merge disk.vhd
stderr_has "disk@two.vhd: in use for reading by guest \(pid $holder"
equal "the files" "$before" "$(sha256sum ./*.vhd)"
exec 3>&-
wait $holder
vhdtool 0 merge disk.vhd
