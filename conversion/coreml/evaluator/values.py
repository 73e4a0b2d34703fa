"""Numbers of an ML program: their types, and how they are stored in the program and in weight files."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyir.model.errors import UserError

Array = NDArray[Any]


@dataclass(frozen=True)
class DType:
    """A type of values.

    Attributes:
        bits: of one value where it is packed.
        numpy: what it is read as.
        blob: its number in weight files; None: never there.
        field: of the program's ``TensorValue``.
    """

    name: str
    bits: int
    numpy: type
    blob: int | None
    field: str


DTYPES: dict[int, DType] = {
    1: DType("bool", 8, np.bool_, None, "bools"),
    2: DType("string", 0, np.str_, None, "strings"),
    10: DType("fp16", 16, np.float16, 1, "bytes"),
    11: DType("fp32", 32, np.float32, 2, "floats"),
    12: DType("fp64", 64, np.float64, None, "doubles"),
    21: DType("int8", 8, np.int8, 4, "bytes"),
    22: DType("int16", 16, np.int16, 6, "ints"),
    23: DType("int32", 32, np.int32, 14, "ints"),
    24: DType("int64", 64, np.int64, None, "longInts"),
    25: DType("int4", 4, np.int8, 8, "bytes"),
    31: DType("uint8", 8, np.uint8, 3, "bytes"),
    32: DType("uint16", 16, np.uint16, 7, "ints"),
    33: DType("uint32", 32, np.uint32, 15, "bytes"),
    34: DType("uint64", 64, np.uint64, None, "longInts"),
    35: DType("uint4", 4, np.uint8, 11, "bytes"),
    36: DType("uint2", 2, np.uint8, 10, "bytes"),
    37: DType("uint1", 1, np.uint8, 9, "bytes"),
    38: DType("uint6", 6, np.uint8, 13, "bytes"),
    39: DType("uint3", 3, np.uint8, 12, "bytes"),
}
"""By their number in ``MIL.proto``."""


@dataclass(frozen=True)
class TensorType:
    """Type and shape of a value; a length of None is known only when the program runs."""

    dtype: DType
    shape: tuple[int | None, ...]

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether an array of that shape can be a value of this type."""
        return len(shape) == len(self.shape) and all(
            due in (None, length) for due, length in zip(self.shape, shape, strict=True)
        )


def tensor_type(proto: Any) -> TensorType:
    """The type in a ``ValueType`` of ``MIL.proto``.

    Raises:
        UserError: no tensor, or one of a type that is not known.
    """
    kind = proto.WhichOneof("type")
    if kind != "tensorType":
        raise UserError(f"a value is a {kind}; only tensors can be evaluated")
    tensor = proto.tensorType
    if tensor.dataType not in DTYPES:
        raise UserError(f"a tensor has values of type {tensor.dataType} of MIL.proto, which is not known")
    shape = tuple(
        d.constant.size if d.WhichOneof("dimension") == "constant" else None for d in tensor.dimensions
    )
    return TensorType(DTYPES[tensor.dataType], shape)


def unpack_bits(data: Array, bits: int, count: int) -> Array:
    """Values of ``bits`` bits, packed one after the other with the lowest bit first, as uint8.

    Raises:
        UserError: other than the bytes that ``count`` values take.
    """
    due = (bits * count + 7) // 8
    if data.size != due:
        raise UserError(f"{count} values of {bits} bits take {due} bytes, not {data.size}")
    single = np.unpackbits(data.view(np.uint8), count=bits * count, bitorder="little").reshape(count, bits)
    return np.packbits(single, axis=1, bitorder="little").reshape(count)


def _from_bytes(data: bytes | memoryview, dtype: DType, count: int) -> Array:
    """Values as they lie in a weight file or in a ``bytes`` field."""
    if dtype.bits >= 8:
        if len(data) * 8 != dtype.bits * count:
            raise UserError(
                f"{count} values of {dtype.name} take {dtype.bits * count // 8} bytes, not {len(data)}"
            )
        return np.frombuffer(data, np.dtype(dtype.numpy).newbyteorder("<"))
    values = unpack_bits(np.frombuffer(data, np.uint8), dtype.bits, count)
    if dtype.name == "int4":
        return ((values.astype(np.int8) ^ 8) - 8).astype(np.int8)  # 4 bits in two's complement
    return values


HEADER, METADATA = 64, 64
"""Bytes at the start of a weight file, and before each of its blobs."""
VERSION, SENTINEL = 2, 0xDEADBEEF


class Weights:
    """The weight files beside a program, each read when it is first asked for.

    Args:
        folder: where the program's file lies; names in it begin with ``@model_path``.
        package: weights are nowhere but inside this folder.
    """

    def __init__(self, folder: Path, package: Path) -> None:
        self._folder, self._package = folder, package
        self._files: dict[str, bytes] = {}

    def blob(self, file: str, offset: int, kind: TensorType) -> Array:
        """The values of one blob, one-dimensional.

        Args:
            offset: of the blob's metadata.

        Raises:
            UserError: a file outside the package, missing or cut, or a blob that is not the one expected.
        """
        data = self._read(file)
        if offset < HEADER or offset + METADATA > len(data):
            raise UserError(f"a weight lies at byte {offset} of {file}, which has {len(data)}")
        sentinel, blob, size, start = struct.unpack_from("<IIQQ", data, offset)
        if sentinel != SENTINEL:
            raise UserError(f"no weight begins at byte {offset} of {file}")
        if blob != kind.dtype.blob:
            raise UserError(f"the weight at byte {offset} of {file} is not of {kind.dtype.name}")
        if start + size > len(data):
            raise UserError(f"{file} is cut: {start + size} bytes are due, it has {len(data)}")
        return _from_bytes(memoryview(data)[start : start + size], kind.dtype, _count(kind))

    def _read(self, file: str) -> bytes:
        if file not in self._files:
            root, _, inside = file.partition("/")
            path = (self._folder / inside).resolve()
            if root != "@model_path" or not path.is_relative_to(self._package):
                raise UserError(f"weights are to be read from {file}, outside the package")
            try:
                data = path.read_bytes()
            except OSError as error:
                raise UserError(f"the weight file {file} cannot be read: {error.strerror}") from error
            if len(data) < HEADER or struct.unpack_from("<I", data, 4)[0] != VERSION:
                raise UserError(f"{file} is no weight file of version {VERSION}")
            self._files[file] = data
        return self._files[file]


def _count(kind: TensorType) -> int:
    count = 1
    for length in kind.shape:
        if length is None:
            raise UserError("a constant has no fixed shape")
        count *= length
    return count


def constant(proto: Any, weights: Weights) -> Array | str:
    """A ``Value`` of ``MIL.proto`` in its own type and shape.

    Raises:
        UserError: it cannot be read, or its values are not as many as its shape says.
    """
    kind = tensor_type(proto.type)
    if proto.WhichOneof("value") == "blobFileValue":
        values = weights.blob(proto.blobFileValue.fileName, proto.blobFileValue.offset, kind)
        return values.reshape(_shape(kind))
    tensor = proto.immediateValue.tensor
    field = tensor.WhichOneof("value")
    if field != kind.dtype.field:
        raise UserError(f"a constant of {kind.dtype.name} has its values in {field}, not {kind.dtype.field}")
    stored = getattr(tensor, field).values
    if kind.dtype.name == "string":
        if kind.shape or len(stored) != 1:
            raise UserError("a constant holds several strings; one is due")
        return str(stored[0])
    count = _count(kind)
    if field == "bytes":
        return _from_bytes(stored, kind.dtype, count).reshape(_shape(kind))
    if len(stored) != count:
        raise UserError(f"a constant of shape {kind.shape} has {len(stored)} values")
    return np.array(stored).astype(kind.dtype.numpy).reshape(_shape(kind))


def _shape(kind: TensorType) -> tuple[int, ...]:
    return tuple(length or 0 for length in kind.shape)
