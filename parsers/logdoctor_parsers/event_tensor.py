"""The number in a tensor that holds just one: TF2 logs every scalar that way.

Field numbers and types are those of tensorflow/core/framework/tensor.proto, tensor_shape.proto and types.proto.
"""

from __future__ import annotations

import numpy as np

from logdoctor_parsers.event_wire import BYTES, VARINT, Field, fields, read_varint, signed

# DataType → how one element is stored in tensor_content (a bfloat16 as its bits: numpy has no such type).
_BFLOAT16 = 14
_CONTENT = {1: "<f4", 2: "<f8", 3: "<i4", 4: "u1", 5: "<i2", 6: "i1", 9: "<i8", 10: "u1", _BFLOAT16: "<u2", 17: "<u2",
            19: "<f2", 22: "<u4", 23: "<u8"}  # fmt: skip
# Field of TensorProto → format of its elements; the empty ones are varints.
_VALUE_FIELDS = {5: "<f4", 6: "<f8", 7: "", 10: "", 11: "", 13: "", 16: "", 17: ""}
_HALF_VAL = 13


def scalar_tensor(data: bytes, item: Field) -> tuple[float, int, str] | None:
    """Value, place and format of a tensor of one number; None if it holds more, fewer or none."""
    dtype, elements = 0, 1
    content: Field | None = None
    values: list[Field] = []
    for inner in fields(data, item.start, item.end):
        if (inner.number, inner.wire) == (1, VARINT):
            dtype = inner.value
        elif (inner.number, inner.wire) == (2, BYTES):
            elements = _elements(data, inner)
        elif (inner.number, inner.wire) == (4, BYTES):
            content = inner
        elif inner.number in _VALUE_FIELDS:
            values.append(inner)
    if dtype not in _CONTENT or elements != 1:
        return None
    if content is not None and content.end > content.start:
        return _from_content(data, dtype, content)
    return _from_values(data, dtype, values[0]) if len(values) == 1 else None


def _elements(data: bytes, shape: Field) -> int:
    """The number of elements of a TensorShapeProto; 1 without dimensions."""
    count = 1
    for dimension in fields(data, shape.start, shape.end):
        if (dimension.number, dimension.wire) == (2, BYTES):
            count *= next((size.value for size in fields(data, dimension.start, dimension.end) if size.number == 1), 0)
    return count


def _from_content(data: bytes, dtype: int, content: Field) -> tuple[float, int, str] | None:
    """Value, place and format of the one element in tensor_content."""
    form = np.dtype(_CONTENT[dtype])
    if content.end - content.start != form.itemsize:
        return None
    value = np.frombuffer(data, form, 1, content.start)[0]
    if dtype == _BFLOAT16:
        return _bfloat16(int(value)), content.start, ""
    return float(value), content.start, _CONTENT[dtype]


def _from_values(data: bytes, dtype: int, item: Field) -> tuple[float, int, str] | None:
    """Value, place and format of the one element in a `*_val` field, packed or not."""
    form = _VALUE_FIELDS[item.number]
    if form:
        size = np.dtype(form).itemsize
        if item.end - item.start != size or item.wire == VARINT:
            return None
        return float(np.frombuffer(data, form, 1, item.start)[0]), item.start, form
    value = item.value
    if item.wire == BYTES:
        value, stop = read_varint(data, item.start, item.end)
        if stop != item.end:
            return None
    return _from_varint(value, dtype, item.number), item.start, ""


def _from_varint(value: int, dtype: int, number: int) -> float:
    if number == _HALF_VAL and dtype == _BFLOAT16:
        return _bfloat16(value & 0xFFFF)
    if number == _HALF_VAL:
        return float(np.uint16(value & 0xFFFF).view(np.float16))
    return float(value if number in (16, 17) else signed(value))


def _bfloat16(bits: int) -> float:
    """bfloat16 is the upper half of a float32."""
    return float(np.uint32(bits << 16).view(np.float32))
