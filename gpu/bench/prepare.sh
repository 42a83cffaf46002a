#!/bin/sh
# Makes, on a machine with `dca` and h5py, what peers.py --check needs on one that has neither h5py nor time: golden files and
# their inputs as .npz.
#
#     sh gpu/bench/prepare.sh DCA FOLDER        # DCA: the program, build/dca; PYTHON: an interpreter with h5py and numpy
set -eu
[ $# -eq 2 ] || { echo "usage: prepare.sh DCA FOLDER" >&2; exit 2; }
dca=$1 folder=$2
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd -P)
mkdir -p "$folder"
# Ragged last chunks, a clamped and an unclamped succ, shared key heads; the plain ones are for those who know one chunk alone.
"$dca" generate -o "$folder/peers.h5" \
    --case 'id=dual_bf16_d128 seq_q=520 heads_q=4 heads_kv=1 head_dim=128 C=256 w=64 dtype=bf16 gradient=0 seed=11' \
    --case 'id=dual_bf16_d64 seq_q=448 heads_q=2 heads_kv=1 head_dim=64 C=128 w=64 dtype=bf16 gradient=0 seed=12' \
    --case 'id=dual_f16_d128 seq_q=389 heads_q=2 heads_kv=1 head_dim=128 C=96 w=0 dtype=f16 gradient=0 seed=13' \
    --case 'id=dual_f16_d64 seq_q=520 heads_q=4 heads_kv=1 head_dim=64 C=160 w=32 dtype=f16 gradient=0 seed=14' \
    --case 'id=plain_bf16_d128 seq_q=384 heads_q=2 heads_kv=1 head_dim=128 C=512 w=0 rope=none dtype=bf16 gradient=0 seed=15' \
    --case 'id=plain_f16_d64 seq_q=384 heads_q=4 heads_kv=1 head_dim=64 C=512 w=0 rope=none dtype=f16 gradient=0 seed=16' \
    --case 'id=turned_bf16_d128 seq_q=320 heads_q=2 heads_kv=2 head_dim=128 C=512 w=0 dtype=bf16 gradient=0 seed=17'
"${PYTHON:-/usr/bin/python3}" -B "$here/cases.py" "$folder/peers.h5" "$folder/peers.npz"
