"""A URL, taken apart once and strictly: what is checked is what is connected to."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

import httpcore
import httpx

from jobs.outbound.errors import refused

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_URL_LENGTH = 4096  # a presigned address with a session token is about 2,500 long

_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)")  # as the last label it makes the host an IPv4 address: WHATWG URL


@dataclass(frozen=True)
class Target:
    """A URL taken apart once: what is checked is what is connected to."""

    scheme: str
    host: str  # lower case, ASCII, without brackets and final dot
    port: int
    path: bytes  # with the query

    @staticmethod
    def of(url: str) -> Target:
        """Raises UrlRefused for what is no plain http or https URL."""
        if len(url) > MAX_URL_LENGTH:
            raise refused("length", f"The URL is longer than {MAX_URL_LENGTH} characters: give a shorter one.")
        if any(character.isspace() or not character.isprintable() or character == "\\" for character in url):
            raise refused("characters", "The URL has spaces, backslashes or invisible characters: remove them.")
        try:
            parsed = httpx.URL(url)
        except (httpx.InvalidURL, ValueError) as error:
            raise refused("unreadable", "This is not a URL: check its spelling.") from error
        if parsed.scheme not in ("http", "https"):
            raise refused("scheme", "The URL has to begin with http:// or https://.")
        if parsed.userinfo:
            raise refused("credentials", "The URL holds a user name or password: remove them.")
        port = parsed.port if parsed.port is not None else {"http": 80, "https": 443}[parsed.scheme]
        if not 0 < port < 65536:
            raise refused("port", "The URL's port has to be a number from 1 to 65535.")
        return Target(parsed.scheme, host_name(parsed.raw_host.decode("ascii")), port, parsed.raw_path)

    @property
    def url(self) -> httpcore.URL:
        return httpcore.URL(scheme=self.scheme, host=self.host, port=self.port, target=self.path)

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"http": 80, "https": 443}[self.scheme] else f"{host}:{self.port}"


def host_name(name: str) -> str:
    """The one spelling of a host that is used from here on; UrlRefused for one that could be read two ways."""
    name = name.lower()
    if literal(name) is not None:
        return name
    name = name.removesuffix(".")
    if not _HOST.fullmatch(name) or _NUMBER.fullmatch(name.rpartition(".")[2]):
        # 2130706433, 0x7f.1 and 0177.0.0.1 are all 127.0.0.1 to the C library, and other hosts to other programs.
        raise refused("host", "The URL's host is neither a name nor a plainly written address: check its spelling.")
    return name


def literal(host: str) -> Address | None:
    """The address that the host is, if it is one written out; a zone (`fe80::1%eth0`) is for nobody but us to name."""
    try:
        return None if "%" in host else ipaddress.ip_address(host)
    except ValueError:
        return None
