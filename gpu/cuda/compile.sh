#!/bin/sh
# Compiles one .cu file of kernels for every architecture: the one place that knows how, for CMake and for
# gpu/bench/build.sh. What ptxas says about registers and spills goes to OBJECT.ptxas (gpu/cuda/resources.py reads it),
# everything else to stderr. Exits as nvcc does.
#
#     compile.sh NVCC SOURCE OBJECT [OPTION OF NVCC]...        NVCC may be several words, as in "ccache nvcc"
#
# sm_90a has what later steps need (wgmma, TMA); compute_90 is PTX for GPUs after Hopper. Kernels that need sm_90 have no
# code for sm_80: their files are named *.sm_90.cu.
set -eu

nvcc=$1 source=$2 object=$3
shift 3
root=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd -P)

set -- "$@" -gencode arch=compute_90a,code=sm_90a -gencode arch=compute_90,code=compute_90
case $source in
*.sm_90.cu) ;;
*) set -- -gencode arch=compute_80,code=sm_80 "$@" ;;
esac

# Word splitting of $nvcc is meant.
status=0
$nvcc -c "$source" -o "$object" -std=c++20 -O3 -I"$root" -MD -MF "$object.d" --resource-usage \
    -Werror all-warnings -Xcompiler -fPIC,-fvisibility=hidden,-Wall,-Wextra "$@" 2>"$object.ptxas" || status=$?
grep -Ev '^ptxas info|^ +[0-9]+ bytes stack frame|^$' "$object.ptxas" >&2 || true
exit $status
