#!/bin/sh
# same_bytes.sh PROGRAM PROGRAM: both succeed and print the same, and something.
set -e
first=$("$1")
second=$("$2")
echo "$first"
[ "$(echo "$first" | wc -l)" -ge 6 ]
if [ "$first" != "$second" ]; then
    echo "another build printed:"
    echo "$second"
    exit 1
fi
