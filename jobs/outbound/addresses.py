"""Which addresses and ports may be reached: the internet's, and what the allow-list names besides."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

import httpx

from jobs.outbound.errors import UrlRefused, refused
from jobs.outbound.urls import Address, host_name

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Below 1024 live mail, names, files and remote shells: line protocols that can be made to read a request's
# body as commands. The web is on 80 and 443 there; from 1024 on, where everybody's services are, all is open
# but the port block list of the Fetch standard (WHATWG) and three of our own that obey any line they can
# read: 6379 Redis, 9100 printers, 11211 memcached.
_PORTS_CLOSED = frozenset(
    {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080}
    | {6379, 9100, 11211}
)

# What `is_global` lets pass, or let pass in a version of Python that we run on, though it is not the internet's.
_NOT_PUBLIC: tuple[Network, ...] = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # public by its number; inside Azure the host's own services
        "192.88.99.0/24",  # 6to4 relays
        *("2001::/23", "2002::/16"),  # Teredo and others, 6to4: an IPv4 address inside, of anybody's choosing
        *("2001:db8::/32", "3fff::/20"),  # documentation
    )
)
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")  # all of IPv6 that has been given out
_IPV4_INSIDE = (ipaddress.IPv6Network("::ffff:0:0/96"), ipaddress.IPv6Network("64:ff9b::/96"))  # mapped; NAT64
_HOST_AND_PORT = re.compile(r"(?P<host>\[[^\]]+\]|[^:]+):(?P<port>[0-9]{1,5})")


def is_public(address: Address) -> bool:
    """Whether the address is one of the open internet's, as far as its number can say."""
    address = innermost(address)
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not any(address in network for network in _NOT_PUBLIC)


def innermost(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where the network would hand it on to that."""
    if isinstance(address, ipaddress.IPv6Address) and any(address in network for network in _IPV4_INSIDE):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


@dataclass(frozen=True)
class Allowed:
    """One entry of the allow-list."""

    what: Network | str
    port: int | None

    @staticmethod
    def of(entry: str) -> Allowed:
        text = entry.strip().lower()
        split = _HOST_AND_PORT.fullmatch(text)
        host, port = (split["host"].strip("[]"), int(split["port"])) if split else (text, None)
        with contextlib.suppress(ValueError):
            return Allowed(ipaddress.ip_network(host, strict=False), port)
        try:
            return Allowed(host_name(httpx.URL(scheme="http", host=host).raw_host.decode("ascii")), port)
        except (UrlRefused, httpx.InvalidURL, ValueError) as error:
            raise ValueError(f"no host, network or host:port: {entry!r}") from error

    def covers(self, host: str, address: Address, port: int) -> bool:
        if self.port not in (None, port):
            return False
        return host == self.what if isinstance(self.what, str) else innermost(address) in self.what


def check_allow(allow: Iterable[str]) -> None:
    """Raises ValueError, with the entry, if one of the allow-list can't be understood."""
    for entry in allow:
        Allowed.of(entry)


def check_address(host: str, address: Address, port: int, *, allow: Iterable[Allowed]) -> None:
    """Raises UrlRefused if the address, found under that host's name, may not be reached on that port."""
    covering = [entry for entry in allow if entry.covers(host, address, port)]
    closed = port in _PORTS_CLOSED or (port < 1024 and port not in (80, 443))
    if closed and not any(entry.port for entry in covering):
        raise refused("port", "The URL's port is not one for web services: use 80, 443 or one from 1024 on.")
    if not covering and not is_public(address):
        raise refused("inner_address", "The URL does not lead to a public address: give one that does.")
