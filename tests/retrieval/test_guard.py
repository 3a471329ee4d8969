from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from technoshare.errors import ConfigError, FetchRefused
from technoshare.retrieval.guard import Policy, exemptions, is_public

TRANSLATED = ip_network(
    "64:ff9b::/96"
)  # Python calls the whole block global or not by version; here the address inside counts

PRIVATE = """
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.254
    169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 192.168.1.1
    198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
    168.63.129.16
    :: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1
    64:ff9b::a9fe:a9fe 64:ff9b:1::808:808 100::1 2001::1 2001:0:7f00:1:: 2001:10::1 2001:db8::1 2002:7f00:1::
    2002:a00:1:: 2002:c0a8:101:: 3fff::1 5f00::1 fc00::1 fd00::1 fd00:ec2::254 fd12:3456:789a::1 fe80::1 fec0::1
    ff02::1 ff0e::1 2001:0:4136:e378:8000:63bf:80ff:fffe
"""

PUBLIC = """
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 93.184.215.14 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1
    140.82.121.3 151.101.1.1 168.63.129.15 169.253.255.255 172.15.255.255 172.32.0.0 192.0.1.1 192.167.255.255
    192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255
    2606:4700:4700::1111 2a00:1450:4001:82a::200e 2001:4860:4860::8888 2620:1ec:c11::200 2001:200::1
    ::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808::1
"""


@pytest.mark.parametrize("address", PRIVATE.split())
def test_an_address_that_is_not_the_public_internet_is_forbidden(address):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC.split())
def test_a_public_address_is_allowed(address):
    assert is_public(ip_address(address))


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_the_same_however_ipv6_wraps_it(address):
    wrapped = (f"::ffff:{address}", f"64:ff9b::{address}")
    assert {is_public(ip_address(each)) for each in wrapped} == {is_public(address)}


@given(st.ip_addresses())
def test_the_explicit_ranges_are_at_least_as_strict_as_the_standard_library(address):
    if is_public(address) and not (address.version == 6 and address in TRANSLATED):
        assert address.is_global


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "http://example.org:80/a?b=c#d",
        "https://example.org:443/",
        "http://example.org:443/",
        "https://sub.domain.example.co.uk/path_(with)_brackets",
        "https://xn--bcher-kva.example/",
        "https://bücher.example/straße?q=ä",
        "https://example.org./",
        "https://under_score.example.org/",
        "https://example.org/a%20b/%2F?x=%25",
        "https://1.1.1.1/",
        "https://[2606:4700:4700::1111]/",
        "https://t.co/Ab3?x=http://127.0.0.1/",
        "https://web.archive.org/web/2020/http://user@example.org/",
    ],
)
def test_an_ordinary_link_passes(url):
    assert Policy().check(url).host


FORBIDDEN_4 = st.sampled_from(
    [ip_network(block) for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
        "240.0.0.0/4", "168.63.129.16/32",
    )]
).flatmap(lambda network: st.ip_addresses(network=network))  # fmt: skip


@st.composite
def spelled_4(draw) -> str:
    """A forbidden IPv4 address as inet_aton would take it, or as a browser would."""
    numbers = [*draw(FORBIDDEN_4).packed]
    keep = draw(st.integers(0, 3))
    parts = [*numbers[:keep], int.from_bytes(bytes(numbers[keep:]), "big")]
    forms = (str, hex, lambda number: f"0{number:o}", lambda number: f"0X{number:X}", lambda number: f"{number:08}")
    host = ".".join(draw(st.sampled_from(forms))(part) for part in parts)
    digits = draw(st.sampled_from(["0123456789", "０１２３４５６７８９", "⓪①②③④⑤⑥⑦⑧⑨", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗"]))
    dot = draw(st.sampled_from([".", "。", "．", "｡"]))
    return host.translate(str.maketrans("0123456789", digits)).replace(".", dot) + draw(st.sampled_from(["", "."]))


@st.composite
def spelled_6(draw) -> str:
    """A forbidden IPv4 address inside an IPv6 one."""
    number = int(draw(FORBIDDEN_4))
    starts = (0, 0xFFFF << 32, 0xFFFF << 48, 0x64FF9B << 96, (0x64FF9B << 96) + (1 << 80), 0x2001 << 112)
    address = draw(st.sampled_from([*(start + number for start in starts), (0x2002 << 112) + (number << 80)]))
    found = ip_address(address.to_bytes(16, "big"))
    return f"[{draw(st.sampled_from([found.compressed, found.exploded, found.exploded.upper()]))}]"


@given(spelled_4() | spelled_6(), st.sampled_from(["", ":80", ":443", "/", "/a?b", "#c", ":80/@x"]))
def test_no_spelling_of_a_forbidden_address_passes(host, rest):
    with pytest.raises(FetchRefused):
        Policy().check(f"http://{host}{rest}")


@given(st.ip_addresses())
def test_a_literal_passes_the_form_exactly_when_a_connection_to_it_would(address):
    literal = f"[{address}]" if address.version == 6 else str(address)
    try:
        Policy().check(f"https://{literal}/")
        passed = True
    except FetchRefused:
        passed = False
    assert passed == Policy().permits(str(address), 443, (str(address), 443))


@given(st.text(max_size=60) | st.text(alphabet="htps:/@.%[]0x17f\\#?localhost ", max_size=40).map("http://".__add__))
def test_any_text_is_either_parsed_or_refused(text):
    try:
        parsed = Policy().check(text)
    except FetchRefused:
        return
    assert parsed.scheme in ("http", "https")
    assert parsed.port in (80, 443)
    assert parsed.user is None


@pytest.mark.parametrize("pair", ["intranet", "host:", ":80", "host:eighty", "host:٨٠", ""])
def test_an_exemption_without_a_port_is_a_clear_error(pair):
    with pytest.raises(ConfigError, match="FETCH_ALLOW_HOSTS"):
        exemptions([pair])


def test_exemptions_know_ipv6_and_case():
    assert exemptions(["[::1]:8080", " Wiki.Corp:80"]) == {("::1", 8080), ("wiki.corp", 80)}


def test_an_exempt_literal_does_not_open_another_address():
    policy = Policy(exempt=exemptions(["127.0.0.1:8765"]))
    assert policy.permits("127.0.0.1", 8765, ("127.0.0.1", 8765))
    assert not policy.permits("127.0.0.2", 8765, ("127.0.0.1", 8765))
    assert not policy.permits("127.0.0.1", 8766, ("127.0.0.1", 8765))
    assert not policy.permits("127.0.0.1", 8765, ("evil.example.org", 8765))
    assert not policy.permits("not an address", 8765, ("127.0.0.1", 8765))
