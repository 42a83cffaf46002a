#!/bin/sh
# Everything that waits for a GPU, in one command (docs/performance.md, "On a GPU"): the gate on `cuda`, compute-sanitizer, the
# contestants of peers.py checked and timed. Works in the source tree after a build, and in a bundle of gpu/bench/bundle.sh on a
# machine that reaches nothing.
#
#     sh gpu/bench/on_a_gpu.sh [options] [-- options of peers.py, e.g. --n 8192 32768]
#
# Each step has its own time limit and its own log; one that fails does not stop the others. Exit status: 0 every step
# passed, 1 one failed, 2 wrong usage, 3 none failed but one was not run.
set -u

usage() {
    cat <<END
usage: on_a_gpu.sh [--results DIR] [--only STEP,...] [--limit STEP=SECONDS]... [--dca PROGRAM] [--library FILE]
                   [--inputs DIR] [--python PROGRAM] [--sanitizer PROGRAM] [--dry-run] [-- OPTIONS OF peers.py]
steps: $steps
END
    exit 2
}

steps="card gate_smoke gate_ci memcheck racecheck check peers"
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd -P)
if [ -f "$here/COMMIT" ]; then # a bundle
    dca=$here/bin/dca library=$here/libdca_gpu.so inputs=$here/inputs
else
    root=$(CDPATH= cd -- "$here/../.." && pwd -P)
    dca=$root/build/dca library=$root/build/libdca_gpu.so inputs=
fi
results= only= dry= limits=
python=$(command -v python3 || echo python3)
sanitizer=$(command -v compute-sanitizer || echo /usr/local/cuda/bin/compute-sanitizer)

while [ $# -gt 0 ]; do
    case $1 in
    --results | --only | --limit | --dca | --library | --inputs | --python | --sanitizer)
        [ $# -ge 2 ] || usage
        case $1 in
        --results) results=$2 ;;
        --only) only=$only,$2 ;;
        --limit) case $2 in *=[0-9]*) limits="$limits $2" ;; *) usage ;; esac ;;
        --dca) dca=$2 ;;
        --library) library=$2 ;;
        --inputs) inputs=$2 ;;
        --python) python=$2 ;;
        --sanitizer) sanitizer=$2 ;;
        esac
        shift 2
        ;;
    --dry-run) dry=1 && shift ;;
    --) shift && break ;;
    *) usage ;;
    esac
done
for step in $(echo "$only" | tr , ' ') $(printf '%s\n' $limits | sed 's/=.*//'); do
    case " $steps " in *" $step "*) ;; *) usage ;; esac
done

date=$(date -u '+%Y-%m-%d %H:%M UTC')
card=$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null) || card= # it complains on stdout
card=$(printf '%s\n' "$card" | head -n 1)
if [ -f "$here/COMMIT" ]; then
    commit=$(cat "$here/COMMIT")
else
    commit=$(git -C "$here" rev-parse HEAD 2>/dev/null || echo unknown)
    [ -z "$(git -C "$here" status --porcelain --untracked-files=no 2>/dev/null)" ] || commit=$commit+changes
fi
[ -n "$results" ] || results=gpu_results_$(date -u +%Y%m%d_%H%M%S)
mkdir -p "$results/logs" || exit 2
results=$(CDPATH= cd -- "$results" && pwd -P)
summary=$results/summary.txt
: >"$results/steps.tsv"
failed=0 not_run=0

report() { # STEP VERDICT WORDS
    printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$results/steps.tsv"
    printf '%-8s %-11s %s\n' "$2" "$1" "$3"
    case $2 in PASS) ;; FAIL) failed=1 ;; *) not_run=1 ;; esac
}

limit_of() { # STEP DEFAULT
    for word in $limits; do
        case $word in "$1"=*) echo "${word#*=}" && return ;; esac
    done
    echo "$2"
}

# The line of a log that says most: a verdict, or what compute-sanitizer counted; else the last one.
telling() {
    line=$(grep -E '^(PASSED|FAILED|ERROR|NOT VERIFIED)|(ERROR|RACECHECK) SUMMARY' "$1" | tail -n 1)
    [ -n "$line" ] || line=$(grep -v '^[[:space:]]*$' "$1" | tail -n 1)
    printf %s "$line" | cut -c 1-200
}

# step NAME SECONDS WHY-NOT PROOF COMMAND...: WHY-NOT is empty, or the reason why the step cannot run here. PROOF, if not empty, is
# what the log must say besides exit status 0: a tool that watched nothing ends well too.
step() {
    name=$1 seconds=$(limit_of "$1" "$2") why_not=$3 proof=$4
    shift 4
    case ,$only, in ,, | *",$name,"*) ;; *) report "$name" "NOT RUN" "not asked for (--only)" && return ;; esac
    if [ -n "$dry" ]; then
        report "$name" "NOT RUN" "dry run: ${why_not:+would not run, $why_not: }within $seconds s: $*"
        return
    fi
    if [ -n "$why_not" ]; then
        report "$name" "NOT RUN" "$why_not"
        return
    fi
    log=$results/logs/$name.log
    printf '%s\n' "$*" >"$log"
    began=$(date +%s)
    timeout -k 10 "$seconds" "$@" >>"$log" 2>&1
    status=$?
    took=$(($(date +%s) - began))
    last=$(telling "$log")
    if [ $status -eq 0 ] && [ -n "$proof" ] && ! grep -q "$proof" "$log"; then
        report "$name" FAIL "status 0 after $took s, but logs/$name.log does not say '$proof'"
    elif [ $status -eq 0 ]; then
        report "$name" PASS "$took s; $last"
    elif [ $status -eq 124 ] || [ $status -eq 137 ]; then
        report "$name" FAIL "stopped after $seconds s; see logs/$name.log"
    else
        report "$name" FAIL "status $status after $took s: $last; see logs/$name.log"
    fi
}

no_gpu= no_dca= no_sanitizer= no_python= no_torch= no_library=
[ -n "$card" ] || no_gpu="nvidia-smi finds no GPU"
[ -x "$dca" ] || no_dca="there is no program $dca (--dca)"
[ -x "$sanitizer" ] || no_sanitizer="there is no $sanitizer (--sanitizer)"
[ -f "$library" ] || no_library="there is no $library (--library; gpu/bench/build.sh builds it)"
"$python" -c 'pass' 2>/dev/null || no_python="there is no $python (--python)"
[ -n "$no_python" ] || "$python" -c 'import torch' 2>/dev/null || no_torch="$python has no PyTorch"
if [ -z "$no_dca$no_gpu" ] && "$dca" list candidates | grep -q '^cuda:.*(not here'; then
    no_dca="this $dca cannot run the kernels: $("$dca" list candidates | sed -n 's/^cuda:.*(not here: \(.*\))$/\1/p')"
fi
first() { # the first reason that is not empty
    for reason in "$@"; do
        [ -z "$reason" ] || { printf %s "$reason" && return; }
    done
}
check_python=$(first "$no_gpu" "$no_python" "$no_torch" "$no_library")
if [ -z "$inputs" ] && [ -z "$dry$no_dca$check_python" ]; then # in the source tree: made here, if h5py is
    inputs=$results/inputs
    PYTHON=$python sh "$here/prepare.sh" "$dca" "$inputs" >"$results/logs/prepare.log" 2>&1 || inputs=
fi
no_inputs=
[ -f "$inputs/peers.npz" ] || no_inputs="no inputs (--inputs; gpu/bench/prepare.sh makes them, it needs h5py)"
forward="--tensor out --tensor lse --supported-only" # what the kernels compute, of what they are for

step card 60 "$no_gpu" "" nvidia-smi
# Word splitting of $forward is meant.
step gate_smoke 300 "$(first "$no_gpu" "$no_dca")" "^PASSED" "$dca" gate --suite smoke --candidate cuda $forward \
    --json "$results/gate_smoke.json"
step gate_ci 900 "$(first "$no_gpu" "$no_dca")" "^PASSED" "$dca" gate --suite ci --candidate cuda $forward \
    --json "$results/gate_ci.json" --html "$results/gate_ci.html"
for tool in memcheck racecheck; do
    case $tool in memcheck) proof='ERROR SUMMARY: 0 errors' ;; racecheck) proof='RACECHECK SUMMARY: 0 hazards' ;; esac
    step $tool 900 "$(first "$no_gpu" "$no_dca" "$no_sanitizer")" "$proof" "$sanitizer" --tool $tool --error-exitcode 86 \
        --target-processes all --print-limit 50 "$dca" gate --suite smoke --candidate cuda $forward
done
step check 300 "$(first "$check_python" "$no_inputs" "$no_dca")" "" "$python" -B "$here/peers.py" --library "$library" \
    --check "$inputs/peers.npz" --golden "$inputs/peers.h5" --dca "$dca" --folder "$results/outputs"
step peers 1500 "$check_python" "" "$python" -B "$here/peers.py" --library "$library" --json "$results/peers.json" \
    --markdown "$results/peers.md" "$@"

{
    echo "date    $date"
    echo "card    ${card:-none}"
    echo "commit  $commit"
    echo
    while IFS='	' read -r name verdict words; do printf '%-8s %-11s %s\n' "$verdict" "$name" "$words"; done <"$results/steps.tsv"
} >"$summary"

# Ready to paste into docs/performance.md. The `not measured` note there goes only when every step has passed.
{
    echo "### Protocol on ${card:-no card}, $date"
    echo
    echo "Commit $commit, \`sh gpu/bench/on_a_gpu.sh\`:"
    echo
    echo "| step | result | |"
    echo "|---|---|---|"
    while IFS='	' read -r name verdict words; do
        printf '| %s | %s | %s |\n' "$name" "$verdict" "$(printf %s "$words" | sed 's/|/\\|/g')"
    done <"$results/steps.tsv"
    if [ -f "$results/peers.md" ]; then
        echo
        cat "$results/peers.md"
    fi
} >"$results/section.md"

echo "results: $results (summary.txt, section.md for docs/performance.md, logs/)"
[ $failed -eq 0 ] || exit 1
[ $not_run -eq 0 ] || exit 3
exit 0
