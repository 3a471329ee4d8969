"""What may be fetched: the form of an address, and the ranges of the internet that are not somebody's private network.

Pure functions and one frozen policy; `fetch` applies them to every link, every redirect and every connection.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from yarl import URL

from technoshare.errors import ConfigError, FetchRefused

Address = IPv4Address | IPv6Address
Origin = tuple[str, int]
"""Host in lower case without brackets, and port."""

MAX_URL = 2048
"""Characters; browsers and Slack cut longer ones."""
PRIVATE = "the address points into a private network"
"""What the thread is told; which address it was is nobody's business."""

# Listed here and not taken from `ipaddress.is_global`: Python 3.11's tables are older than 3.13's, and the last two
# are public on paper (6to4 relay, Azure's metadata and DNS address).
_FORBIDDEN_4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/3", "192.88.99.0/24", "168.63.129.16/32",
    )
)  # fmt: skip
_GLOBAL_6 = IPv6Network("2000::/3")
_FORBIDDEN_6 = tuple(IPv6Network(block) for block in ("2001::/23", "2001:db8::/32", "3fff::/20"))
_NAT64 = IPv6Network("64:ff9b::/96")

_INTERNAL_NAMES = "localhost localdomain local internal intranet lan home corp private arpa onion test"
_INTERNAL = frozenset(_INTERNAL_NAMES.split())
_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")
_UNWRITABLE = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\\]")
_ENCODED = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


def is_public(address: Address) -> bool:
    """Tell whether `address` belongs to the public internet; an IPv4 address inside an IPv6 one is judged itself."""
    if isinstance(address, IPv4Address):
        return not any(address in block for block in _FORBIDDEN_4)
    if inner := _embedded(address):
        return is_public(inner)
    return address in _GLOBAL_6 and not any(address in block for block in _FORBIDDEN_6)


def _embedded(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


def origin_of(url: URL) -> Origin:
    """Return where a request for `url` goes; `url` has a host."""
    return (url.raw_host or "").lower(), url.port or 0


def exemptions(pairs: Iterable[str]) -> frozenset[Origin]:
    """Return `host:port` texts as origins. Raises `ConfigError` for one that is not such a pair."""
    found = set()
    for pair in pairs:
        host, _, port = pair.strip().rpartition(":")
        if not host or not port.isascii() or not port.isdigit():
            raise ConfigError(f"FETCH_ALLOW_HOSTS: {pair!r} must be host:port")
        found.add((host.strip("[]").lower(), int(port)))
    return frozenset(found)


@dataclass(frozen=True)
class Policy:
    """Which addresses may be asked; `exempt` origins are free of the network and the port rule."""

    exempt: frozenset[Origin] = frozenset()
    ports: frozenset[int] = frozenset({80, 443})
    public: Callable[[Address], bool] = is_public

    def check(self, url: str) -> URL:
        """Return `url` parsed, fit to be requested. Raises `FetchRefused` for a form that is never fetched."""
        parsed = _parsed(url)
        host, port = origin_of(parsed)
        if (host, port) in self.exempt:
            return parsed
        if port not in self.ports:
            raise FetchRefused(f"only the ports 80 and 443 are read, not {port}")
        literal = _literal(host)
        if literal is None:
            _check_name(host)
        elif not self.public(literal):
            raise FetchRefused(PRIVATE)
        return parsed

    def permits(self, address: str, port: int, requested: Origin) -> bool:
        """Tell whether a connection to `address` may serve a request for `requested`.

        An exemption holds only for its own origin: the same port and, for a literal host, the very same address.
        """
        found = _literal(address)
        if found is None:
            return False
        if self.public(found):
            return True
        host, wanted = requested
        return requested in self.exempt and port == wanted and _literal(host) in (None, found)


def _parsed(url: str) -> URL:
    if len(url) > MAX_URL:
        raise FetchRefused(f"the address is longer than {MAX_URL} characters")
    authority = _AUTHORITY.match(url)
    if authority is None or _UNWRITABLE.search(url):
        raise FetchRefused("this is not a web address")
    if "@" in authority[1]:
        raise FetchRefused("addresses with a user name or password are not read")
    if "%" in authority[1]:  # a zone id, or an encoded host whose meaning depends on the reader
        raise FetchRefused("this is not a web address")
    try:
        parsed = URL(url, encoded=_ENCODED.fullmatch(url) is not None)  # as posted: requoting breaks signed links
        host, port = origin_of(parsed)
    except ValueError as error:
        raise FetchRefused("this is not a web address") from error
    if parsed.scheme.lower() not in ("http", "https"):
        raise FetchRefused(f"only http and https are read, not {parsed.scheme}")
    if not host or not port:
        raise FetchRefused("this is not a web address")
    return parsed


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _check_name(host: str) -> None:
    labels = host.removesuffix(".").split(".")
    if _NUMBER.fullmatch(labels[-1]):  # 0x7f.1, 2130706433, 0177.0.0.1: system resolvers read them as addresses
        raise FetchRefused("this way of writing a numeric address is not read")
    if len(labels) == 1 or labels[-1] in _INTERNAL:
        raise FetchRefused(PRIVATE)
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise FetchRefused("this is not a web address")
