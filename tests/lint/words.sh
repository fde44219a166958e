#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Nothing in the sources is announced instead of done.
cd "$1" || exit 99
. tests/lint/sources.sh
mapfile -t files < <(sources '*.[ch]' '*.cc' '*.sh' '*.py' '*.cmake' \
	CMakeLists.txt | grep -vxF tests/lint/words.sh)
grep -nE '\<(TODO|FIXME|XXX|HACK)\>' "${files[@]}" /dev/null && exit 1
grep -niE 'not (yet )?implemented|simplified for now' "${files[@]}" /dev/null && exit 1
exit 0
