#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# live.sh - measure jobs on a disk that is served: bench/run.sh live.
exec "$(dirname "$0")/run.sh" live "$@"
