"""Unpickling a history without running foreign code: dicts, lists, numbers and NumPy scalars and arrays, nothing else.

A pickle may name any function to be called while it loads; here every name outside a short list is refused (see the
Python manual, `pickle`, "Restricting Globals").
"""

from __future__ import annotations

import io
import pickle
import pickletools
from collections import OrderedDict, defaultdict
from importlib import import_module
from typing import Any

import numpy as np

_NPY = b"\x93NUMPY"
_CONTAINERS = {
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "defaultdict"): defaultdict,
    ("builtins", "dict"): dict,
    ("builtins", "list"): list,
    ("__builtin__", "list"): list,
}
_NUMPY = {("numpy", "dtype"), ("numpy", "ndarray")} | {
    (f"numpy.{core}.{module}", name)
    for core in ("core", "_core")  # before and since NumPy 2
    for module, name in (("multiarray", "scalar"), ("multiarray", "_reconstruct"), ("numeric", "_frombuffer"))
}

_FLOATS = ("BINFLOAT", "BININT", "BININT1", "BININT2")
_AROUND = ("PROTO", "FRAME", "EMPTY_DICT", "MARK", "MEMOIZE", "BINPUT", "LONG_BINPUT", "SETITEMS", "SETITEM")


class RefusedError(ValueError):
    """A pickle asks for something that no history needs."""


def is_pickle(content: bytes) -> bool:
    """Whether bytes begin like a pickle of protocol 2 to 5, or a .npy file that holds one."""
    return (content[:1] == b"\x80" and content[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")) or _is_object_npy(content)


def _is_object_npy(content: bytes) -> bool:
    return content.startswith(_NPY) and b"'descr': '|O'" in content[:128]


def unpickle_history(content: bytes) -> dict[str, list[float]]:
    """Key → numbers of a pickled dict. Errors: RefusedError where it holds more; ValueError where it is damaged."""
    try:
        value = _Unpickler(_stream(content), encoding="latin-1").load()
    except RefusedError:
        raise
    except pickle.UnpicklingError as error:
        raise ValueError(str(error)) from None
    except Exception as error:  # a damaged pickle can fail in any way
        raise ValueError(f"damaged ({type(error).__name__})") from None
    return _lists(value)


def left_of_pickle(content: bytes) -> dict[str, list[float]]:
    """Key → plain numbers in front of the first opcode that is damaged; the last of a list left open may be, too.

    The opcodes are only looked at. NumPy's numbers, which calls would make, are none here.
    """
    found: dict[str, list[float]] = {}
    key, values = "", list[float]()
    try:
        for opcode, argument, _ in pickletools.genops(_stream(content)):
            if opcode.name in ("BINUNICODE", "SHORT_BINUNICODE"):
                key = str(argument)
            elif opcode.name == "EMPTY_LIST":
                values = found.setdefault(key, [])
            elif opcode.name in _FLOATS:
                values.append(float(argument or 0))
            elif opcode.name in ("APPENDS", "APPEND"):
                values = []
            elif opcode.name not in _AROUND:
                break
    except Exception:  # a damaged pickle can fail in any way
        pass
    del values[-1:]
    return {key: numbers for key, numbers in found.items() if numbers}


def _stream(content: bytes) -> io.BytesIO:
    stream = io.BytesIO(content)
    stream.seek(_npy_data(content) if content.startswith(_NPY) else 0)
    return stream


def _npy_data(content: bytes) -> int:
    """Where the data of a .npy file begin: behind the magic, the version and a header of stated length."""
    if content[6:7] == b"\x01":
        return 10 + int.from_bytes(content[8:10], "little")
    return 12 + int.from_bytes(content[8:12], "little")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _CONTAINERS:
            return _CONTAINERS[module, name]
        if module == "_codecs" and name == "encode":
            return _encode
        if (module, name) in _NUMPY:
            return getattr(import_module(module.replace(".core.", "._core.")), name)
        raise RefusedError(f"it asks for {module}.{name}, which no history needs")


def _encode(text: str, encoding: str) -> bytes:
    """Protocol 2 writes bytes as Latin-1 text."""
    return text.encode("latin-1") if encoding in ("latin1", "latin-1") else text.encode()


def _lists(value: Any) -> dict[str, list[float]]:
    if isinstance(value, np.ndarray) and value.shape == ():
        value = value.item()
    if isinstance(value, dict) and isinstance(value.get("history"), dict):
        value = value["history"]
    if not isinstance(value, dict):
        raise ValueError(f"a {type(value).__name__}, not a dict of lists")
    found = {str(key): numbers for key, each in value.items() if (numbers := _numbers(each)) is not None}
    if not found:
        raise ValueError("a dict without lists of numbers")
    return found


def _numbers(value: Any) -> list[float] | None:
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        return None
    return array.tolist() if array.ndim == 1 and len(array) else None
