#!/bin/sh
# The main job on real data, from a fresh clone: a golden file made from recorded inputs, a good candidate verified, a
# published wrong one rejected with its reason. Succeeds only if every command ended with the exit status and said the
# words it should.
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$root/verify/setup.sh"

set_up dca
cd "$root"
rm -rf build/demo
mkdir -p build/demo
problems=0

heading() {
    printf '\n== %s\n' "$*"
}

# Arguments as one could type them: those with other than plain characters in quotes.
shown() {
    for word; do
        case $word in
        *[!A-Za-z0-9_./=-]*) printf " '%s'" "$word" ;;
        *) printf ' %s' "$word" ;;
        esac
    done
}

# expect STATUS WORDS COMMAND...: runs dca, and remembers a problem unless it ended with this status and said these words.
expect() {
    wanted=$1
    words=$2
    shift 2
    printf '\n$ build/dca%s\n' "$(shown "$@")"
    status=0
    build/dca "$@" >build/demo/output.txt 2>&1 || status=$?
    cat build/demo/output.txt
    echo "(exit status $status)"
    if [ "$status" -ne "$wanted" ] || ! grep -qF -- "$words" build/demo/output.txt; then
        echo "DEMO PROBLEM: expected exit status $wanted and the words '$words'" >&2
        problems=$((problems + 1))
    fi
}

megatron=tests/recordings/megatron_pr4048.h5
bridge=tests/recordings/megatron_bridge_pr4185.h5

heading "Golden tensors for the inputs recorded from Megatron-LM pull request 4048"
expect 0 "23 cases" run $megatron --dialect exact -o build/demo/megatron_golden.h5

heading "Its recorded forward output is Dual Chunk Attention (one case aside, which comes next)"
expect 0 "PASSED: " compare build/demo/megatron_golden.h5 $megatron --tensor out --case 'meg_[!f]*'

heading "The case that declares float64 but computed its softmax in float32 does not get away with it"
expect 1 "computation in f32 precision where the case declares f64" \
    compare build/demo/megatron_golden.h5 $megatron --case meg_f64

heading "Its recorded gradients are rejected, and the mistake has a name"
expect 1 "looks like a detached merge" compare build/demo/megatron_golden.h5 $megatron --case meg_gqa_b2

heading "Judged as what they claim to be, a dialect of their own, all of them are faithful"
expect 0 "23 cases" run $megatron -o build/demo/megatron_own.h5
expect 0 "PASSED: " compare build/demo/megatron_own.h5 $megatron

heading "What somebody who ports a model from that code to the definition has to know"
expect 0 "merge weights are constants (H34)" diff-dialects megatron_pr4048 exact \
    --case 'seq_q=64 head_dim=16 chunk_size=24 local_size=8 dtype=bf16'

heading "Megatron-Bridge pull request 4185: the recorded forward and the gradients are right"
expect 0 "20 cases" run $bridge --dialect exact -o build/demo/bridge_golden.h5
expect 0 "PASSED: " compare build/demo/bridge_golden.h5 $bridge

if [ "$problems" -ne 0 ]; then
    printf '\n%s of the demo'\''s commands did not do what they should\n' "$problems" >&2
    exit 1
fi
printf '\nEverything was as it should be. The files are in build/demo; sh tests/run.sh runs every test.\n'
