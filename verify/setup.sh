# Set-up shared by verify/demo.sh and tests/run.sh, which source it after setting `root`: installs what is missing and
# builds into build/. Every failure ends the calling script with exit status 2 and says what to do.

build=$root/build
packages="cmake g++ make pkg-config libeigen3-dev libhdf5-dev libcli11-dev nlohmann-json3-dev zlib1g-dev libarchive-dev
    catch2 python3 python3-numpy python3-h5py python3-yaml python3-jsonschema libmpfr-dev libgmp-dev libqd-dev libboost-dev
    libboost-context-dev gnuplot-nox libtomlplusplus-dev"

give_up() {
    printf '%s\n' "$*" >&2
    exit 2
}

# run_logged LOG COMMAND...: the command's output goes to LOG; a terminal shows the line it is at. The end of the log is
# shown if the command fails.
run_logged() {
    log=$1
    shift
    if [ -t 1 ]; then
        if "$@" 2>&1; then echo 0 >"$log.status"; else echo "$?" >"$log.status"; fi | tee "$log" |
            while IFS= read -r line; do printf '\r\033[K%.79s' "$line"; done
        printf '\r\033[K'
    else
        if "$@" >"$log" 2>&1; then echo 0 >"$log.status"; else echo "$?" >"$log.status"; fi
    fi
    status=$(cat "$log.status")
    rm -f "$log.status"
    if [ "$status" -ne 0 ]; then
        tail -n 40 "$log" >&2
        give_up "failed with status $status: $* (whole output: $log)"
    fi
}

missing_packages() {
    for package in $packages; do
        case $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) in
        *"install ok installed") ;;
        *) printf ' %s' "$package" ;;
        esac
    done
}

install_packages() {
    command -v dpkg-query >/dev/null 2>&1 || return 0 # not Debian or Ubuntu: CMake says what it does not find
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        as_root="sudo -n"
        sudo -n true 2>/dev/null || give_up "Packages are missing; run this once, then start again:
    sudo apt-get install -y --no-install-recommends$missing"
    fi
    echo "Installing$missing"
    # Word splitting of $as_root and $missing is meant.
    run_logged "$build/apt-update.log" $as_root apt-get update
    run_logged "$build/apt.log" $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y \
        --no-install-recommends $missing
}

# set_up TARGET: packages, configuration, and this build target.
set_up() {
    jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
    mkdir -p "$build" || give_up "cannot create $build"
    install_packages
    echo "Configuring $build"
    run_logged "$build/configure.log" cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release
    echo "Building $1 with $jobs jobs (log: $build/build.log)"
    run_logged "$build/build.log" cmake --build "$build" --target "$1" -j "$jobs"
}
