#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "vhdtool serve is for this host alone, unless another place is named"
vhdtool 0 create disk.vhd 1M
mkdir "$place/bin"
printf '#!/bin/sh\necho "$@"\n' >"$place/bin/nbdkit"
chmod +x "$place/bin/nbdkit"
PATH=$place/bin:$PATH
export LISTEN_PID LISTEN_FDS=1

vhdtool 0 serve disk.vhd
stdout_has ' -i 127\.0\.0\.1 '
vhdtool 0 serve disk.vhd -- -p 4711
stdout_has ' -p 4711$'

# The sockets of another process, whose environment was inherited.
LISTEN_PID=1 vhdtool 0 serve disk.vhd
stdout_has ' -i 127\.0\.0\.1 '
bash -c 'LISTEN_PID=$$ exec "$VHDTOOL" serve disk.vhd' >"$out"
grep -q -- '-i 127' "$out" &&
	fail "serve with sockets of its own" "no other place" "$(cat "$out")"
exit 0
