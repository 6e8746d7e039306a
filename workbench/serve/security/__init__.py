"""Who may ask a server, and over what: keys, roles, certificates."""

from workbench.serve.security.guard import Caller, Guard, NewKey, acting, caller, find_key, new_key, require_guarded
from workbench.serve.security.roles import role_of_path, role_of_rpc
from workbench.serve.security.settings import Role, Security
from workbench.serve.security.tls import grpc_credentials, ssl_context

__all__ = [
    "Caller",
    "Guard",
    "NewKey",
    "Role",
    "Security",
    "acting",
    "caller",
    "find_key",
    "grpc_credentials",
    "new_key",
    "require_guarded",
    "role_of_path",
    "role_of_rpc",
    "ssl_context",
]
