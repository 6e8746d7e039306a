"""Who may ask a server, and who may change it."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from workbench.core.language import _
from workbench.lessons.base import Exercise
from workbench.serve.security import Security


class TwoKeys(Exercise):
    """Settings that know the hashes of two keys, and the keys."""

    def fault(self, answer: Any) -> str:
        """Return what is wrong with the settings or the keys."""
        if not (isinstance(answer, tuple) and len(answer) == 3 and isinstance(answer[0], Security)):  # noqa: PLR2004
            return _("Give three things: (the settings, the key to predict with, the key of the admin).")
        known, asked, admin = answer[0].api_keys, str(answer[1]), str(answer[2])
        if len(known) != 2:  # noqa: PLR2004
            return _("The settings must know two keys, they know {count}.").format(count=len(known))
        if {asked, admin} & set(known):
            return _("That is a key's hash, which the server keeps; its owner gets the key itself.")
        return _unfit(known, asked, "predict") or _unfit(known, admin, "admin")


def _unfit(known: dict[str, Any], key: str, role: str) -> str:
    found = known.get(sha256(key.encode()).hexdigest())
    if found is None:
        return _("The settings do not know the key for {role}.").format(role=role)
    return "" if found == role else _("The key for {role} may do something else.").format(role=role)
