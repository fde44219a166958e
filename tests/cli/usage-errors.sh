#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "wrong usage exits 2, says what is wrong and where help is, prints nothing"

wrong() # SENTENCE HELP ARGUMENT...
{
	local sentence=$1 help=$2

	shift 2
	vhdtool 2 "$@"
	stdout_is ""
	stderr_has "^vhdtool: $sentence\$"
	stderr_has "^Try '$help --help'\.\$"
	equal "$last: lines on stderr" 2 "$(wc -l <"$err")"
}

wrong "a command is missing" vhdtool
wrong "there is no command 'mege'" vhdtool mege
wrong "there is no option '--foo'" vhdtool --foo
wrong "there is no command 'mege'" vhdtool help mege
wrong "FILE is missing" "vhdtool inspect" inspect
wrong "'b' is one word too many for inspect" "vhdtool inspect" inspect a b
wrong "inspect has no option '--jsno'" "vhdtool inspect" inspect --jsno a
wrong "inspect has no option '-q'" "vhdtool inspect" inspect -q a
wrong "--json takes no value" "vhdtool inspect" inspect --json=1 a
wrong "--search needs a value: DIR" "vhdtool inspect" inspect a --search
wrong "--type takes dynamic or fixed, not 'thin'" "vhdtool create" \
    create --type thin a 1M
wrong "SIZE must be a size .*, not '1X'" "vhdtool create" create a 1X
wrong "SIZE is missing; .*" "vhdtool create" create a
wrong "SIZE must be a size .*" "vhdtool create" create a 99999999999999999999
wrong "--json goes with --dry-run only" "vhdtool merge" merge --json a
wrong "--parent is missing" "vhdtool rebase" rebase a
wrong "--undo goes with --repair only" "vhdtool check" check --undo u a
wrong "--svg and --json .*" "vhdtool map" map --svg a.svg --json a
wrong "only one of SRC and DST .*" "vhdtool convert" convert -f raw - -
wrong "a VHD cannot be read from a pipe.*" "vhdtool convert" convert - a.vhd
wrong "a raw disk stores no --uuid.*" "vhdtool convert" convert -O raw \
    --uuid 1b4e28ba-2fa1-11d2-883f-b9a761bde3fb a b
equal "files left behind" "" "$(ls)"
