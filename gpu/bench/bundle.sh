#!/bin/sh
# Packs what on_a_gpu.sh needs for a machine that has a GPU and PyTorch and reaches nothing: the program with its shared
# libraries, libdca_gpu.so, the scripts, prepared inputs.
#
#     sh gpu/bench/bundle.sh ARCHIVE.tar.gz [--dca PROGRAM] [--library FILE] [--folder DIR]
#
# There: tar xf ARCHIVE.tar.gz && sh dca_on_a_gpu/on_a_gpu.sh. --folder keeps the unpacked tree too. The archive is refused above
# 60 MB. PYTHON: an interpreter with h5py and numpy, for prepare.sh.
set -eu

give_up() {
    printf 'bundle.sh: %s\n' "$*" >&2
    exit 2
}

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd -P)
root=$(CDPATH= cd -- "$here/../.." && pwd -P)
dca=$root/build/dca library=$root/build/libdca_gpu.so folder= archive=
while [ $# -gt 0 ]; do
    case $1 in
    --dca | --library | --folder)
        [ $# -ge 2 ] || give_up "$1 wants a value"
        case $1 in --dca) dca=$2 ;; --library) library=$2 ;; --folder) folder=$2 ;; esac
        shift 2
        ;;
    -*) give_up "no option $1" ;;
    *)
        [ -z "$archive" ] || give_up "one archive, not $archive and $1"
        archive=$1
        shift
        ;;
    esac
done
[ -n "$archive" ] || give_up "usage: bundle.sh ARCHIVE.tar.gz [--dca PROGRAM] [--library FILE] [--folder DIR]"
[ -x "$dca" ] || give_up "there is no program $dca: build it, or name it with --dca"
[ -f "$library" ] || give_up "there is no $library: gpu/bench/build.sh builds it (it needs nvcc), or name it with --library"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/dca_on_a_gpu
mkdir -p "$tree/bin" "$tree/lib/glibc"

commit=$(git -C "$root" rev-parse HEAD 2>/dev/null || echo unknown)
[ -z "$(git -C "$root" status --porcelain --untracked-files=no 2>/dev/null)" ] || commit=$commit+changes
echo "$commit" >"$tree/COMMIT"

cp "$dca" "$tree/bin/dca.bin"
strip "$tree/bin/dca.bin" 2>/dev/null || true
ldd "$dca" | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }' | while IFS= read -r file; do
    case ${file##*/} in
    libcuda.so*) ;; # the driver's: it must be the one of that machine
    ld-linux* | libc.so* | libm.so* | libdl.so* | librt.so* | libpthread.so* | libresolv.so*) cp -L "$file" "$tree/lib/glibc/" ;;
    *) cp -L "$file" "$tree/lib/" ;;
    esac
done
[ -n "$(ls "$tree/lib/glibc")" ] || give_up "ldd names no libraries of $dca"
cat >"$tree/bin/dca" <<'END'
#!/bin/sh
# dca.bin with the libraries that came along: under this machine's own C library if that is new enough, else under ours.
bin=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd -P)
lib=$bin/../lib
path=$lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
if [ -z "${DCA_OWN_LOADER:-}" ] && LD_LIBRARY_PATH=$path "$bin/dca.bin" --version >/dev/null 2>&1; then
    LD_LIBRARY_PATH=$path exec "$bin/dca.bin" "$@"
fi
exec "$lib/glibc/ld-linux-x86-64.so.2" --library-path "$lib/glibc:$path" "$bin/dca.bin" "$@"
END
chmod +x "$tree/bin/dca"

cp "$library" "$tree/libdca_gpu.so"
cp "$here"/*.py "$here/on_a_gpu.sh" "$tree/"
sh "$here/prepare.sh" "$dca" "$tree/inputs" >/dev/null

limit=60000000
tar -C "$work" -czf "$work/archive" dca_on_a_gpu
size=$(wc -c <"$work/archive")
[ "$size" -le $limit ] || give_up "the archive has $size bytes, more than $limit"
mv "$work/archive" "$archive"
if [ -n "$folder" ]; then
    mkdir -p "$folder"
    cp -R "$tree/." "$folder/"
fi
needs=$(objdump -T "$library" 2>/dev/null | grep -o 'GLIBC_2\.[0-9]*' | sort -t. -k2 -nu | tail -n 1)
echo "$archive: $size bytes, commit $commit; libdca_gpu.so needs ${needs:-no version of glibc that objdump tells}"
