#!/bin/sh
# Builds libdca_gpu.so with nvcc and its host compiler alone: no CMake, Eigen, HDF5 or Boost. For machines that have a
# CUDA toolkit and, say, PyTorch.
#
#     build.sh [FOLDER]        makes FOLDER/libdca_gpu.so, default build/libdca_gpu.so; FOLDER/gpu_library keeps the rest
#
# NVCC, CXX: the compilers, default nvcc (in PATH or in /usr/local/cuda/bin) and g++. JOBS: how many compile at a time.
# Prints the library's path on stdout; where python3 is found, registers and spills of the kernels on stderr. Exits 2
# where a compiler is missing, 1 where something does not compile.
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd -P)
folder=${1:-$root/build}
cxx=${CXX:-g++}
nvcc=${NVCC:-$(PATH="$PATH:/usr/local/cuda/bin" command -v nvcc || true)}
jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)}

give_up() {
    printf '%s\n' "$1" >&2
    exit "$2"
}
[ -n "$nvcc" ] || give_up "nvcc was found neither in PATH nor in /usr/local/cuda/bin; set NVCC" 2
command -v "${nvcc##* }" >/dev/null 2>&1 || give_up "there is no compiler $nvcc; set NVCC" 2
command -v "$cxx" >/dev/null 2>&1 || give_up "there is no compiler $cxx; set CXX" 2
mkdir -p "$folder/gpu_library"
folder=$(CDPATH= cd -- "$folder" && pwd -P)
out=$folder/gpu_library
rm -f "$out"/*.o

# One command a line. nvcc hands .cpp files to the host compiler, with the folder of its own headers.
cd "$root"
for source in gpu/cuda/*.cu; do
    printf 'sh gpu/cuda/compile.sh "%s" %s "%s" -ccbin "%s"\n' "$nvcc" "$source" "$out/${source##*/}.o" "$cxx"
done >"$out/commands"
for source in gpu/cuda/*.cpp gpu/host/*.cpp reference/spec/*.cpp; do
    printf '%s -c %s -o "%s" -ccbin "%s" -std=c++20 -O2 -I. -Xcompiler -fPIC,-ffp-contract=off\n' \
        "$nvcc" "$source" "$out/$(echo "$source" | tr / _).o" "$cxx"
done >>"$out/commands"
xargs -P "$jobs" -d '\n' -n 1 sh -c 'eval "$1"' command <"$out/commands" || give_up "libdca_gpu.so was not built" 1

# nvcc adds the static CUDA runtime. Word splitting of $nvcc is meant.
$nvcc -shared -ccbin "$cxx" -o "$folder/libdca_gpu.so" "$out"/*.o \
    -Xlinker --version-script=gpu/cuda/dca_gpu.map -Xlinker --no-undefined -lquadmath ||
    give_up "libdca_gpu.so was not linked" 1
if command -v python3 >/dev/null 2>&1; then
    python3 -B gpu/cuda/resources.py --table "$out/resources.txt" "$out"/*.ptxas >&2
fi
printf '%s\n' "$folder/libdca_gpu.so"
