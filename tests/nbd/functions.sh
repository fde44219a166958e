# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# functions.sh - what the tests of the nbdkit plugin share, on top of what
# those of vhdtool have.
#
# PLUGIN is the plugin under test; PRELOAD, if set, what nbdkit must have
# loaded before it (a sanitizer).

kind=nbd
. "$SOURCE/tests/cli/functions.sh"
: "${PLUGIN:?the plugin under test}"
requires nbdkit nbdinfo nbdcopy qemu-io qemu-img timeout python3
export PRELOAD=${PRELOAD-} PLUGIN
sock=$place/socket
uri="nbd+unix:///?socket=$sock"
server= client=
trap 'end_server; rm -rf "$place"' EXIT

# The uri of one export.
export_uri() # NAME
{
	echo "nbd+unix:///$1?socket=$sock"
}

# Run a command; its exit status must be STATUS.
run() # STATUS COMMAND...
{
	local want=$1

	shift
	last=$*
	timeout 60 "$@" >"$out" 2>"$err" </dev/null
	status=$?
	[ $status -eq "$want" ] ||
		fail "$last" "exit $want" "exit $status: $(head -c 400 "$out" "$err")"
}

# Run nbdkit, which ends by itself.
nbdkit() # STATUS ARGUMENT...
{
	local want=$1

	shift
	run "$want" env LD_PRELOAD="$PRELOAD" nbdkit "$@"
}

# Start a server at $uri and wait until it can be used.
serve() # ARGUMENT...
{
	rm -f "$sock" "$place/pid"
	env LD_PRELOAD="$PRELOAD" nbdkit -f -P "$place/pid" -U "$sock" \
	    "$@" 2>"$place/log" &
	server=$!
	await "nbdkit $*: ready" ready
}

ready()
{
	[ -s "$place/pid" ]
}

# Wait until a command succeeds, while the server lives.
await() # WHAT COMMAND...
{
	local what=$1

	shift
	for _ in $(seq 600); do
		"$@" && return
		kill -0 "$server" 2>/dev/null || break
		sleep 0.05
	done
	fail "$what" "soon" "$(cat "$place/log")"
}

# End the server as a signal does; without a failure, or a word about one.
stop() # SIGNAL
{
	kill -s "${1:-TERM}" "$server"
	wait "$server"
	status=$?
	server=
	equal "exit status of nbdkit" 0 "$status"
	equal "messages of nbdkit" "" "$(cat "$place/log")"
}

# End it as a crash does.
kill_server()
{
	kill -s KILL "$server"
	wait "$server" 2>/dev/null
	server=
}

end_server()
{
	[ -z "$client" ] || client_kill
	[ -z "$server" ] || { kill -s KILL "$server"; wait "$server"; } \
	    2>/dev/null
}

# Commands of qemu-io, all of which must succeed.
io() # URI COMMAND...
{
	local where=$1 words=()

	shift
	for command; do
		words+=(-c "$command")
	done
	run 0 qemu-io -f raw "${words[@]}" "$where"
}

# The same; all must fail, with this error.
io_fails() # ERROR URI COMMAND...
{
	local error=$1 where=$2

	shift 2
	for command; do
		run 1 qemu-io -f raw -c "$command" "$where"
		stdout_or_stderr_has "$error"
	done
}

# A client that stays connected, and does not flush when it ends; one at a
# time.
client_start() # URI
{
	mkfifo "$place/words"
	qemu-io -f raw "$1" <"$place/words" >"$place/client" 2>&1 &
	client=$!
	exec 3>"$place/words"
	rm "$place/words"
	answers=1
	await "the client is connected" client_has_answered
}

# The program asks for the next command, so the last one is done.
client_has_answered()
{
	[ "$(grep -o 'qemu-io> ' "$place/client" | wc -l)" -ge $answers ]
}

client_does() # COMMAND...
{
	local command

	for command; do
		echo "$command" >&3
		answers=$((answers + 1))
		await "an answer to $command" client_has_answered
	done
	grep -q failed "$place/client" &&
		fail "commands of the client" "success" "$(cat "$place/client")"
}

client_kill()
{
	kill -s KILL "$client"
	wait "$client" 2>/dev/null
	client=
	exec 3>&-
}

stdout_or_stderr_has() # PATTERN
{
	grep -qE -- "$1" "$out" "$err" ||
		fail "$last" "/$1/" "$(cat "$out" "$err")"
}

log_has() # PATTERN
{
	grep -qE -- "$1" "$place/log" ||
		fail "messages of nbdkit" "/$1/" "$(cat "$place/log")"
}

# The guest's bytes must be those of a raw file, by a reader that shares no
# line with the library.
content_is() # FILE RAW
{
	equal "content of $1" "$(sha256sum <"$2" | cut -d' ' -f1)" \
	    "$(content "$1")"
}

sound() # FILE
{
	vhdtool 0 check --chain "$1"
}
