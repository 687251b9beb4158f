"""Dataclasses to JSON and back, with every type looked at on the way back."""

import types
from dataclasses import fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def plain(thing: Any) -> Any:
    """What stands for *thing* in JSON (``json.dumps(..., default=plain)``): a dataclass becomes an object, a
    set a sorted list. TypeError for anything else."""
    if is_dataclass(thing) and not isinstance(thing, type):
        return {each.name: getattr(thing, each.name) for each in fields(thing)}
    if isinstance(thing, set | frozenset):
        return sorted(thing)
    raise TypeError(f"{type(thing).__name__} cannot be kept")


def read(kind: type[T], given: Any) -> T:
    """A *kind* (a dataclass, or what a field may have as its type) from what JSON gave back of `plain`.
    ValueError when a field is missing, unknown or of another type."""
    return cast("T", _read(kind, given, kind.__name__))


def _read(kind: Any, given: Any, place: str) -> Any:
    if kind is Any:
        return given
    if is_dataclass(kind):
        return _object(kind, given, place)
    origin = get_origin(kind)
    if origin in {Union, types.UnionType}:
        return _either(get_args(kind), given, place)
    if origin is Literal:
        return _must(given in get_args(kind), given, place)
    if origin is dict:
        _must(isinstance(given, dict), given, place)
        keys, values = get_args(kind)
        return {_read(keys, k, place): _read(values, v, f"{place}.{k}") for k, v in given.items()}
    if origin is tuple:
        _must(isinstance(given, list), given, place)
        inner = get_args(kind)
        each = [inner[0]] * len(given) if inner[-1] is Ellipsis else list(inner)
        _must(len(each) == len(given), given, place)
        return tuple(_read(k, v, place) for k, v in zip(each, given, strict=True))
    if origin in {list, set, frozenset}:
        _must(isinstance(given, list), given, place)
        (inside,) = get_args(kind)
        return origin(_read(inside, each, f"{place}[{i}]") for i, each in enumerate(given))
    return _must(_is(kind, given), given, place)


def _object(kind: Any, given: Any, place: str) -> Any:
    hints = get_type_hints(kind)
    names = {each.name for each in fields(kind)}
    _must(isinstance(given, dict), given, place)
    if missing := sorted(names ^ given.keys()):
        raise ValueError(f"{place}: {', '.join(missing)} missing or unknown")
    return kind(**{name: _read(hints[name], value, f"{place}.{name}") for name, value in given.items()})


def _either(kinds: tuple[Any, ...], given: Any, place: str) -> Any:
    if given is None:
        return _must(type(None) in kinds, given, place)
    rest = [kind for kind in kinds if kind is not type(None)]
    for kind in rest[:-1]:
        try:
            return _read(kind, given, place)
        except ValueError:
            continue
    return _read(rest[-1], given, place)


def _is(kind: Any, given: Any) -> bool:
    if kind in {int, float}:
        return isinstance(given, (int, float) if kind is float else int) and not isinstance(given, bool)
    return isinstance(given, kind)


def _must(fine: bool, given: Any, place: str) -> Any:
    if not fine:
        raise ValueError(f"{place} cannot be {str(given)[:40]!r}")
    return given
