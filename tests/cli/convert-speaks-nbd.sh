#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "convert reads from and writes to the export of an NBD server"
requires nbdkit cmp
head -c 5000000 /dev/urandom >plain
truncate -s 20M plain
vhdtool 0 convert -f raw plain disk.vhd
vhdtool 0 convert -O raw disk.vhd disk.raw
size=$(stat -c %s disk.raw)
truncate -s "$size" empty.raw
truncate -s 1M small.raw

serve() # NAME OPTION... ; the URI is in $uri
{
	local name=$1
	shift
	nbdkit -U "$place/$name.sock" -P "$place/$name.pid" "$@" ||
		fail "nbdkit $*" "a server" "exit $?"
	uri="nbd+unix://?socket=$place/$name.sock"
}
trap 'kill $(cat "$place"/*.pid) 2>/dev/null; rm -rf "$place"' EXIT

serve source -r file disk.raw
vhdtool 0 convert -f raw "$uri" copy.vhd
vhdtool 0 compare disk.vhd copy.vhd
vhdtool 1 convert -O raw disk.vhd "$uri"
stderr_has 'nobody write'
vhdtool 1 convert "$uri" never.vhd
stderr_has '-f raw'

serve target file empty.raw
vhdtool 0 convert -O raw disk.vhd "$uri"
cmp disk.raw empty.raw || fail "the export" "the content of the disk" "another"

serve small file small.raw
vhdtool 4 convert -O raw disk.vhd "$uri"

vhdtool 1 convert -f raw "nbd+unix://?socket=$place/none" never.vhd
stderr_has 'cannot connect'
[ ! -e never.vhd ] || fail "never.vhd" "no file" "a file"
