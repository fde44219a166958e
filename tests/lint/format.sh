#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every C file looks as clang-format would write it.
cd "$1" || exit 99
. tests/lint/sources.sh
command -v clang-format >/dev/null || { echo "no clang-format"; exit 77; }

mapfile -t files < <(sources '*.c' '*.h')
clang-format --dry-run -Werror "${files[@]}"
