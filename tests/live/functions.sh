# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# functions.sh - what the tests of served disks share, on top of what those of
# the nbdkit plugin have.

# What is proven here is order, not durability: no need to wait for a disk.
if [ -z "${TMPDIR-}" ] && [ -w /dev/shm ] &&
    [ "$(df -k --output=avail /dev/shm | tail -n 1)" -gt 2000000 ]; then
	export TMPDIR=/dev/shm
fi
. "$SOURCE/tests/nbd/functions.sh"
kind=live
job_err=$place/job-words
requires fio jq
if [ "$(id -u)" = 0 ]; then
	sockets=/run/vhd
	mkdir -p -m 700 $sockets 2>/dev/null || skip "no $sockets for sockets"
else
	[ -w "${XDG_RUNTIME_DIR:-/nowhere}" ] || skip "no place for sockets"
	sockets=$XDG_RUNTIME_DIR/vhd
fi

# nbdkit writes its number, lets the plugin listen for vhdtool, and answers
# clients, in that order.
ready()
{
	[ -s "$place/pid" ] && nbdinfo --size "$uri" >/dev/null 2>&1
}

# A parent with MIB of data, and a disk that stands on it with as much.
two_layers() # MIB
{
	vhdtool 0 create base.vhd $(($1 * 2))M
	fill base.vhd 1 0 "$1"
	vhdtool 0 create --parent base.vhd disk.vhd
	fill disk.vhd 2 $(($1 / 2)) "$1"
}

# Write MIB of a byte into an image at rest.
fill() # FILE BYTE FROM_MIB MIB
{
	serve "$PLUGIN" "$1"
	io "$uri" "write -q -P $2 $3M $4M"
	stop
}

# The bytes of the disk as a client of the server reads them.
read_all()
{
	nbdcopy "$uri" - | sha256sum | cut -d' ' -f1
}

# Run vhdtool in the background, its words in $job_err; $job is its process.
start_job() # ARGUMENT...
{
	last="vhdtool $*"
	env --default-signal=INT "$VHDTOOL" "$@" >/dev/null 2>"$job_err" </dev/null &
	job=$!
}

# A field of the job that runs or ran last.
job_is() # FIELD VALUE
{
	[ "$("$VHDTOOL" job list --json disk.vhd | jq -r ".[0][\"$1\"]")" = "$2" ]
}

moves()
{
	[ "$("$VHDTOOL" job list --json disk.vhd |
	    jq -r '.[0]["current-progress"]')" -gt 0 ] 2>/dev/null
}

# vhdtool, which must end by itself; its exit status must be STATUS.
job_ends() # STATUS
{
	wait "$job"
	status=$?
	job=
	cp "$job_err" "$err"
	[ $status -eq "$1" ] ||
		fail "$last" "exit $1" "exit $status: $(head -c 400 "$err")"
}

# Ask the server something that vhdtool has no command for.
ask() # COMMAND [ARGUMENTS]
{
	local socket=$sockets/$(printf '%x-%x.sock' "$(stat -c %d disk.vhd)" \
	    "$(stat -c %i disk.vhd)")

	python3 - "$socket" "$1" "${2:-{\}}" <<-'EOF'
		import json, socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.connect(sys.argv[1])
		f = s.makefile("rw")
		f.write(json.dumps({"execute": sys.argv[2], "id": 1,
		                    "arguments": json.loads(sys.argv[3])}) + "\n")
		f.flush()
		for line in f:
		    answer = json.loads(line)
		    if answer.get("id") == 1:
		        break
		print(answer.get("return", answer.get("error")))
		sys.exit("error" in answer)
	EOF
}

take_snapshot() # NAME
{
	ask snapshot-create "{\"name\": \"$1\"}" >"$out" ||
		fail "snapshot $1" "taken" "$(cat "$out")"
}
