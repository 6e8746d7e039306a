"""What can be brought in, one kind of file a module; the kind is told from the content, never from the name."""

from workbench.convert.incoming.base import Arrival, Brought, Incoming, incoming, kind_of, live_kind_of

__all__ = ["Arrival", "Brought", "Incoming", "incoming", "kind_of", "live_kind_of"]
