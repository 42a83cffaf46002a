#!/bin/sh
# check.sh COMPILER ROOT SNIPPET: the snippet must compile as it stands and must not compile with WRONG defined, where the
# error has to be on the line after `#ifdef WRONG`. The first half proves that the second fails for that line's sake and
# not, say, for a missing include.
set -u
compiler=$1 root=$2 snippet=$3

compile() {
    LC_ALL=C "$compiler" -std=c++20 -fsyntax-only -I "$root" "$@" "$snippet" 2>&1
}

line=$(grep -n '^#ifdef WRONG$' "$snippet" | cut -d: -f1)
case $line in
    '' | *[!0-9]*) echo "$snippet: needs exactly one line '#ifdef WRONG'"; exit 1 ;;
esac
wrong_line=$((line + 1))

if ! output=$(compile); then
    printf '%s\n' "$snippet: the control does not compile:" "$output"
    exit 1
fi
if output=$(compile -DWRONG); then
    echo "$snippet: line $wrong_line compiles, and must not"
    exit 1
fi
if ! printf '%s\n' "$output" | grep -q "$(basename "$snippet"):$wrong_line:.*error:"; then
    printf '%s\n' "$snippet: fails, but not on line $wrong_line:" "$output"
    exit 1
fi
