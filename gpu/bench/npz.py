"""Reads and writes .npz archives of plain arrays with the standard library alone, because a machine with a CUDA toolkit and
PyTorch need not have numpy. An array is (dtype, shape, bytes): dtype as numpy writes it ('<f4'), C order."""
import ast
import struct
import zipfile
from collections import namedtuple

Array = namedtuple("Array", "dtype shape data")

MAGIC = b"\x93NUMPY"
ITEM_BYTES = {"<f8": 8, "<f4": 4, "<f2": 2, "<i8": 8, "<i4": 4, "|u1": 1}


def bytes_of(dtype, shape):
    if dtype not in ITEM_BYTES:
        raise ValueError(f"dtype {dtype!r} is none of {', '.join(ITEM_BYTES)}")
    size = ITEM_BYTES[dtype]
    for extent in shape:
        size *= extent
    return size


def pack(array):
    """The .npy text of an array, version 1.0."""
    if len(array.data) != bytes_of(array.dtype, array.shape):
        raise ValueError(f"{len(array.data)} bytes do not fill {array.dtype} {tuple(array.shape)}")
    shape = "(" + "".join(f"{int(extent)}, " for extent in array.shape) + ")"
    header = f"{{'descr': '{array.dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(MAGIC) + 4 + len(header) + 1) % 64) + "\n"
    return MAGIC + b"\x01\x00" + struct.pack("<H", len(header)) + header.encode("ascii") + array.data


def unpack(text):
    if text[:6] != MAGIC or len(text) < 10:
        raise ValueError("not a .npy array")
    wide = text[6] != 1
    start = 12 if wide else 10
    length = struct.unpack_from("<I" if wide else "<H", text, 8)[0]
    header = ast.literal_eval(text[start:start + length].decode("latin-1"))
    if header["fortran_order"] and len(header["shape"]) > 1:
        raise ValueError("arrays in Fortran order are not read")
    data = text[start + length:]
    if len(data) != bytes_of(header["descr"], header["shape"]):
        raise ValueError(f"{len(data)} bytes do not fill {header['descr']} {header['shape']}")
    return Array(header["descr"], tuple(header["shape"]), data)


def write(path, arrays):
    """arrays: name -> Array, in this order."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, array in arrays.items():
            with archive.open(name + ".npy", "w", force_zip64=True) as member:
                member.write(pack(array))


def read(path):
    """name -> Array."""
    result = {}
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            try:
                result[member[:-4] if member.endswith(".npy") else member] = unpack(archive.read(member))
            except (ValueError, KeyError, SyntaxError) as error:
                raise ValueError(f"{path}: {member}: {error}") from error
    return result
