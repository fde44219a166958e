#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# run.sh SOURCE NAME UNWIND FILE... - have CBMC prove tests/proofs/NAME.c over
# these files of the library.  Skipped (77) where there is no CBMC; CBMC=PATH
# names one that is not in PATH.
set -u
cd "$1" || exit 99
name=$2 unwind=$3
shift 3
cbmc=${CBMC:-cbmc}
command -v "$cbmc" >/dev/null || { echo 'skipped: no cbmc'; exit 77; }
"$cbmc" --bounds-check --pointer-check --signed-overflow-check \
	--unsigned-overflow-check --undefined-shift-check \
	--div-by-zero-check --unwind "$unwind" --unwinding-assertions \
	-I libvhd -I include -I tests/proofs -D_GNU_SOURCE \
	"tests/proofs/$name.c" "$@" | grep -vE 'SUCCESS$|^(Unwinding|aborting)'
exit "${PIPESTATUS[0]}"
