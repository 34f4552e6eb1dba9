"""Fetches URLs that users gave; the only module that does. Plain Python: no Django here.

A URL that a user typed is a way to make this server knock at doors inside its own network. So the host's
name is looked up here, every address it has must be a public one, and the connection goes to exactly the
address that was checked: a name that answers differently the second time gains nothing. Each redirect goes
the same way. TLS still checks the certificate against the name. Proxies of the environment are not used.

`allow` lists what may be inner all the same, for services that people run beside Jointo: host names
(`n8n.lan`), addresses and networks (`10.1.2.3`, `10.0.0.0/8`, `fd00::/8`), or one of a host's ports
(`n8n.lan:5678`, `[fd00::5]:8080`). An entry with a port also opens a port that is closed otherwise.
"""

from __future__ import annotations

from jobs.outbound.addresses import check_allow, is_public
from jobs.outbound.connections import Resolver, system_resolver, tls_context
from jobs.outbound.errors import (
    HostUnknown,
    OutboundFailed,
    OutboundRedirected,
    OutboundRejected,
    OutboundTimeout,
    OutboundTooLarge,
    OutboundUnreachable,
    OutboundUnreadable,
    OutboundUntrusted,
    UrlRefused,
)
from jobs.outbound.fetching import Downloaded, Response, check, download, post
from jobs.outbound.urls import MAX_URL_LENGTH, Address

__all__ = [
    "MAX_URL_LENGTH",
    "Address",
    "Downloaded",
    "HostUnknown",
    "OutboundFailed",
    "OutboundRedirected",
    "OutboundRejected",
    "OutboundTimeout",
    "OutboundTooLarge",
    "OutboundUnreachable",
    "OutboundUnreadable",
    "OutboundUntrusted",
    "Resolver",
    "Response",
    "UrlRefused",
    "check",
    "check_allow",
    "download",
    "is_public",
    "post",
    "system_resolver",
    "tls_context",
]
