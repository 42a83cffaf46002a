#!/bin/sh
# Installs what is missing, builds everything into build/ and runs every test. Arguments go to ctest, for example
# -R cli. The exit status is that of ctest; 2 where the set-up failed.
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$root/verify/setup.sh"

set_up all
# Tests run side by side, so threads that wait must not spin: they would keep the others from running.
export OMP_WAIT_POLICY=passive
exec ctest --test-dir "$build" --output-on-failure --no-tests=error -j "$jobs" "$@"
