#!/bin/sh
# Gates a kernel repository with dca, for docs/ci/action.yml (GitHub) and docs/ci/gitlab.yml. What it is asked for comes
# in environment variables, never as program text (docs/ci.md):
#     gate.sh key      one line that changes whenever the program would: for a cache
#     gate.sh build    packages, and the program into $DCA_PREFIX/bin unless it is there
#     gate.sh run      dca gate with what the DCA_ variables ask for; ends with its exit status
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
prefix=${DCA_PREFIX:-${HOME:?}/.cache/dca-gate}

give_up() {
    printf 'gate.sh: %s\n' "$*" >&2
    exit 2
}

# The sources, and the system whose libraries the program is linked with.
print_key() {
    # shellcheck source=/dev/null
    system=$(. /etc/os-release 2>/dev/null && printf '%s-%s' "${ID:-linux}" "${VERSION_ID:-0}") || system=linux-0
    sources=$(cd "$root" && find CMakeLists.txt reference gpu golden verify -type f | LC_ALL=C sort |
        while IFS= read -r file; do sha256sum "$file"; done | sha256sum)
    printf 'dca-%s-%s-%s\n' "$system" "$(uname -m)" "${sources%% *}"
}

build_program() {
    # shellcheck source=/dev/null
    . "$root/verify/setup.sh"
    build=${DCA_BUILD:-$root/build-gate}
    mkdir -p "$build" || give_up "cannot create $build"
    install_packages # a cached program needs its libraries, too
    if [ -x "$prefix/bin/dca" ]; then
        echo "dca is in $prefix/bin"
        return
    fi
    jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
    echo "Building dca with $jobs jobs"
    run_logged "$build/configure.log" cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release -DDCA_TESTS=OFF
    run_logged "$build/build.log" cmake --build "$build" --target dca -j "$jobs"
    run_logged "$build/install.log" cmake --install "$build" --prefix "$prefix" --component dca_program
}

newline='
'

# require_plain NAME VALUE: letters, digits and ._-*?[]!/ alone.
require_plain() {
    case $2 in
    *[!A-Za-z0-9._*?!/\[\]-]*) give_up "$1 is '$2'; letters, digits and . _ - * ? [ ] ! / are allowed" ;;
    -*) give_up "$1 is '$2'; it must not begin with a -" ;;
    esac
}

require_flag() {
    case $2 in true | false) ;; *) give_up "$1 is '$2'; true and false are allowed" ;; esac
}

require_number() {
    case $2 in *[!0-9]* | '') give_up "$1 is '$2'; a whole number is allowed" ;; esac
}

# GitHub shows the report of the job, and hands on what later steps ask for.
tell_github() {
    if [ -n "${GITHUB_STEP_SUMMARY:-}" ] && [ -f "$reports/dca.md" ]; then
        head -c 1000000 "$reports/dca.md" >>"$GITHUB_STEP_SUMMARY" # GitHub takes a MiB
    fi
    if [ -n "${GITHUB_OUTPUT:-}" ]; then
        printf 'status=%s\n' "$1" >>"$GITHUB_OUTPUT"
    fi
}

run_gate() {
    command=${DCA_COMMAND:-}
    suite=${DCA_SUITE:-smoke}
    reports=${DCA_REPORTS:-dca-reports}
    program=${DCA_PROGRAM:-$prefix/bin/dca}

    case $command in
    '') give_up "DCA_COMMAND is empty; it is the program to judge: 'PROG {input} {output}'" ;;
    *"$newline"*) give_up "DCA_COMMAND has more than one line" ;;
    *'{input}'*'{output}'* | *'{output}'*'{input}'*) ;;
    *) give_up "DCA_COMMAND is '$command'; it must contain {input} and {output}" ;;
    esac
    require_plain DCA_SUITE "$suite"
    case $reports in
    *"$newline"*) give_up "DCA_REPORTS has more than one line" ;;
    -*) give_up "DCA_REPORTS is '$reports'; it must not begin with a -" ;;
    esac

    set -- gate --suite "$suite" --command "$command"
    # Lists are words; no pattern among them may become file names.
    set -f
    for pattern in ${DCA_CASES:-}; do
        require_plain DCA_CASES "$pattern"
        set -- "$@" --case "$pattern"
    done
    for tag in ${DCA_TAGS:-}; do
        require_plain DCA_TAGS "$tag"
        set -- "$@" --tag "$tag"
    done
    for dtype in ${DCA_DTYPES:-}; do
        require_plain DCA_DTYPES "$dtype"
        set -- "$@" --dtype "$dtype"
    done
    for tensor in ${DCA_TENSORS:-}; do
        require_plain DCA_TENSORS "$tensor"
        set -- "$@" --tensor "$tensor"
    done
    set +f
    if [ -n "${DCA_TIMEOUT:-}" ]; then
        require_number DCA_TIMEOUT "$DCA_TIMEOUT"
        set -- "$@" --timeout "$DCA_TIMEOUT"
    fi
    if [ -n "${DCA_WAIVERS:-}" ]; then
        case $DCA_WAIVERS in -*) give_up "DCA_WAIVERS is '$DCA_WAIVERS'; it must not begin with a -" ;; esac
        [ -f "$DCA_WAIVERS" ] || give_up "DCA_WAIVERS: there is no file '$DCA_WAIVERS'"
        set -- "$@" --waivers "$DCA_WAIVERS"
    fi
    require_flag DCA_SUPPORTED_ONLY "${DCA_SUPPORTED_ONLY:-false}"
    [ "${DCA_SUPPORTED_ONLY:-false}" = false ] || set -- "$@" --supported-only
    [ "${GITHUB_ACTIONS:-false}" = false ] || set -- "$@" --annotations
    [ -x "$program" ] || give_up "there is no program '$program'; gate.sh build makes one"

    mkdir -p -- "$reports" || give_up "cannot create '$reports'"
    rm -f -- "$reports/dca.xml" "$reports/dca.md" "$reports/dca.json" "$reports/dca.html"
    status=0
    "$program" "$@" --junit "$reports/dca.xml" --markdown "$reports/dca.md" --json "$reports/dca.json" \
        --html "$reports/dca.html" || status=$?
    tell_github "$status"
    return "$status"
}

case ${1:-} in
key) print_key ;;
build) build_program ;;
run) run_gate ;;
*) give_up "say key, build or run" ;;
esac
