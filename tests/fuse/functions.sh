# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# functions.sh - what the tests of vhdfuse share, beside what those of vhdtool
# do: mounts and loop devices that are gone when a test ends, however it ends.
#
# VHDFUSE is the program under test.

kind=fuse
. "$(dirname "$0")/../cli/functions.sh"
: "${VHDFUSE:?the program under test}"
server= loops=() mounts=()

clean_up()
{
	local i

	for ((i = ${#mounts[@]} - 1; i >= 0; i--)); do
		umount "${mounts[i]}" 2>/dev/null
	done
	for i in ${loops[@]+"${loops[@]}"}; do
		losetup -d "$i" 2>/dev/null
	done
	mountpoint -q "$place/images/m" && fusermount3 -u -z "$place/images/m"
	[ -f "$place/images/one" ] && fusermount3 -u -z "$place/images/one" \
	    2>/dev/null
	[ -n "$server" ] && kill -9 "$server" 2>/dev/null
	cd /
	rm -rf "$place"
}
trap clean_up EXIT

requires_fuse()
{
	[ -c /dev/fuse ] && [ -w /dev/fuse ] || skip "no /dev/fuse"
	requires fusermount3
}

requires_loop()
{
	requires losetup
	[ "$(id -u)" = 0 ] || skip "loop devices need root"
	losetup -f >/dev/null 2>&1 || skip "no loop device"
}

# Run vhdfuse in the background; its exit status must be STATUS.
vhdfuse() # STATUS ARGUMENT...
{
	local want=$1

	shift
	last="vhdfuse $*"
	"$VHDFUSE" "$@" >"$out" 2>"$err" </dev/null
	status=$?
	[ $status -eq "$want" ] ||
		fail "$last" "exit $want" "exit $status: $(head -c 400 "$err")"
}

# Mount at m, as a child of this shell: server is its process.
serve() # ARGUMENT...
{
	mkdir -p m
	last="vhdfuse -f $* m"
	# bash lets what it runs in the background ignore SIGINT.
	env --default-signal=INT "$VHDFUSE" -f "$@" m >"$out" 2>"$err" \
	    </dev/null &
	server=$!
	for _ in $(seq 200); do
		[ -e m/disk ] && return
		kill -0 $server 2>/dev/null || break
		sleep 0.05
	done
	fail "$last" "a mount" "$(cat "$err")"
}

# The server ends, and well.
served()
{
	wait "$server"
	equal "$last: exit" 0 $?
	server=
	[ -s "$err" ] && fail "$last: messages" none "$(cat "$err")"
	return 0
}

unserve()
{
	fusermount3 -u m || fail "fusermount3 -u m" "exit 0" "exit $?"
	served
}

# End the server as a crash does.
killed()
{
	kill -9 "$server"
	{ wait "$server"; } 2>/dev/null
	server=
}

# loop FILE: a loop device on a file, in $loop.
attach()
{
	loop=$(losetup -f --show --direct-io=on "$1") ||
		fail "losetup $1" "a loop device" "none"
	loops+=("$loop")
}

detach()
{
	losetup -d "$loop" || fail "losetup -d" "exit 0" "exit $?"
	loops=()
}

mounted() # DEVICE DIR [OPTION...]
{
	local device=$1 dir=$2

	shift 2
	mkdir -p "$dir"
	mount "$@" "$device" "$dir" || fail "mount $device" "exit 0" "exit $?"
	mounts+=("$dir")
}

unmounted() # DIR
{
	umount "$1" || fail "umount $1" "exit 0" "exit $?"
	mounts=()
}

hash_of() # FILE
{
	sha256sum <"$1" | cut -d' ' -f1
}

# Bytes that look like no other bytes.
noise() # MIB SEED
{
	requires python3
	python3 -c "import random, sys
random.seed($2)
for _ in range($1): sys.stdout.buffer.write(random.randbytes(1 << 20))"
}

no_findings() # IMAGE
{
	vhdtool 0 check "$1"
	stdout_has ": 0 errors, 0 warnings"
}
