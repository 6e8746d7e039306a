"""The protocols' messages, in a descriptor pool of their own.

In protobuf's default pool a name has one definition a process, and TensorFlow, or a client's package, brings its own.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from workbench.serve.status import invalid

if TYPE_CHECKING:
    from google.protobuf.descriptor import ServiceDescriptor

DESCRIPTORS = "descriptors.binpb"

_PROTOS = "workbench.serve.grpc.protos"


@cache
def message(name: str) -> Any:
    """Return a message's class.

    Args:
        name: Its full name, e.g. `tensorflow.serving.PredictRequest`.

    Raises:
        KeyError: There is none of that name.
    """
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(name))


@cache
def enum_numbers(name: str) -> dict[str, int]:
    """Return the numbers of an enum's values by their names.

    Args:
        name: Full name of the enum, e.g. `tensorflow.DataType`.

    Raises:
        KeyError: There is none of that name.
    """
    return {value.name: value.number for value in _pool().FindEnumTypeByName(name).values}


def service(name: str) -> ServiceDescriptor:
    """Return what a service offers.

    Args:
        name: Its full name, e.g. `tensorflow.serving.PredictionService`.

    Raises:
        KeyError: There is none of that name.
    """
    return _pool().FindServiceByName(name)


def parse(kind: Any, data: bytes) -> Any:
    """Return the message that bytes hold.

    Args:
        kind: Its class, of `message`.
        data: As they came over the wire.

    Raises:
        RequestError: INVALID_ARGUMENT, they hold none.
    """
    from google.protobuf.message import DecodeError

    try:
        return kind.FromString(data)
    except DecodeError:
        raise invalid(f"The request is no {kind.DESCRIPTOR.full_name}") from None


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    found = descriptor_pb2.FileDescriptorSet.FromString((files(_PROTOS) / DESCRIPTORS).read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in found.file:  # each after those that it imports
        pool.Add(file)
    return pool
