"""Why there was no answer at all, in one sentence with the next step: libraries say it in words of their own."""

from __future__ import annotations

import re

from workbench.serve.client.face import RefusedError

# What asking again does not change: what the libraries say, what it means, and what helps.
_FINAL = tuple(
    (re.compile(words, re.IGNORECASE), means, step)
    for words, means, step in (
        (
            "hostname verification|hostname mismatch|ip address mismatch",
            "its certificate is for another name",
            "ask it by a name that its certificate has",
        ),
        (
            r"certificate[ _]verify[ _]failed: ([^:(]+)",
            "its certificate is not trusted: {why}",
            "give the PEM file of those who signed it as `ca=`",
        ),
        (
            "certificate[ _]required",
            "it wants to see a certificate",
            "give one as `certificate=` and `private_key=`",
        ),
        (
            "wrong[ _]version[ _]number|handshake read failed",
            "it does not speak TLS there",
            "ask {plain}://host:port instead",
        ),
        (
            "failed parsing http/2|alpn",
            "it does not speak gRPC there",
            "ask the server's gRPC port, or its REST port as http://host:port",
        ),
        (
            "badstatusline",
            "it does not speak HTTP there",
            "ask the server's REST port, or its gRPC port as grpc://host:port",
        ),
    )
)
_CLOSED = re.compile(r"remotedisconnected|reset by peer|failed to connect.*socket closed", re.IGNORECASE | re.DOTALL)
_NOISE = " ]()'\""


def unreached(words: str, scheme: str) -> RefusedError:
    """Return the error for a connection that was not made, or broke before there was an answer.

    Args:
        words: What the library says.
        scheme: What the server's URL starts with.
    """
    for said, means, step in _FINAL:
        if found := said.search(words):
            why = found[1].strip() if found.groups() else ""
            return RefusedError("", means.format(why=why), step=step.format(plain=_plain(scheme)))
    if _CLOSED.search(words):  # a server that ends does that too, and its successor may answer
        return RefusedError("", "it closed the connection", again=True, step=_after_closing(scheme))
    return RefusedError("", words.rpartition(": ")[2].strip(_NOISE) or words, again=True)


def _plain(scheme: str) -> str:
    return scheme.replace("https", "http").replace("grpcs", "grpc")


def _after_closing(scheme: str) -> str:
    plain = _plain(scheme)
    if scheme != plain:
        return "where it wants to see a certificate, give one as `certificate=` and `private_key=`"
    return f"where it speaks TLS, ask {plain.replace('http', 'https').replace('grpc', 'grpcs')}://host:port instead"
