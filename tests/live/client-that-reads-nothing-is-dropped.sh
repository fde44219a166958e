#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a client that reads no events is dropped, and the job goes on"
two_layers 64
serve "$PLUGIN" disk.vhd
start_job merge --rate 1M disk.vhd
await "the merge moves" moves

# Most of what may be on its way is taken by answers, for the test to be short.
python3 - "$sockets/$(printf '%x-%x.sock' $(stat -c '%d %i' disk.vhd))" \
    >"$out" <<'EOP'
import select, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b'{"execute": "query-jobs"}\n' * 180)
ended = select.poll()
ended.register(s, select.POLLRDHUP)
print("dropped" if ended.poll(60000) else "still served")
EOP
equal "a client that is asleep" dropped "$(cat "$out")"
vhdtool 0 job rate disk.vhd 0
job_ends 0
stop
sound disk.vhd
