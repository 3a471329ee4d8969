"""The attack table: addresses that must never be asked, by how they try it, and ordinary ones that must be."""

from __future__ import annotations

INSIDE = "10.66.6.6"
"""Where a hostile name leads, unless its row says otherwise."""
OUTSIDE = "93.184.215.14"
"""Where an ordinary name leads."""
OUTSIDE_6 = "2606:2800:21f:cb07:6820:80da:af6b:8b2c"

LITERAL_4 = """
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.0.0.53 127.1.2.3 127.255.255.254
    169.254.0.1 172.16.0.1 172.17.0.1 172.31.255.255 192.0.0.8 192.0.2.1 192.88.99.1 192.168.0.1 192.168.255.255
    198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
"""

METADATA = """
    169.254.169.254 169.254.170.2 169.254.169.253 169.254.169.123 168.63.129.16 100.100.100.200 192.0.0.192
    [fd00:ec2::254] [fd00:ec2::23] [fd20:ce::254] metadata.google.internal metadata instance-data
    instance-data.ec2.internal
"""

SPELLED_4 = """
    2130706433 0x7f000001 0X7F000001 017700000001 0x7f.1 0x7f.0.0.1 0x7f.0x0.0x0.0x1 0177.0.0.1 0177.0.0.01 127.1
    127.0.1 127.0.0.1. 127.0.0.0x1 127.0.0.01 00127.0.0.1 0x0000007f.0.0.1 2852039166 0xa9fea9fe 025177524776
    0xa9.0xfe.0xa9.0xfe 0251.0376.0251.0376 169.254.43518 169.16689662 0xa.1 10.1 012.0.0.1 3232235521 0xc0a80001
    192.168.1 0300.0250.0.1 0 0x0 00000000 4294967295
"""

UNICODE = """
    ①②⑦.⓪.⓪.① ①②⑦.0.0.1 １２７.０.０.１ １２７．０．０．１ 127。0。0。1 127．0．0．1 127｡0｡0｡1 𝟏𝟐𝟕.𝟎.𝟎.𝟏 ¹²⁷.⁰.⁰.¹ 𝟙𝟞𝟡.𝟚𝟝𝟜.𝟙𝟞𝟡.𝟚𝟝𝟜
    ①⑥⑨.②⑤④.①⑥⑨.②⑤④ ⓛⓞⓒⓐⓛⓗⓞⓢⓣ ｌｏｃａｌｈｏｓｔ 𝔩𝔬𝔠𝔞𝔩𝔥𝔬𝔰𝔱 0ｘ7f.1 ٢١٣٠٧٠٦٤٣٣
"""

LITERAL_6 = """
    [::] [::1] [0:0:0:0:0:0:0:1] [0000::0001] [::0.0.0.1] [fc00::1] [fd12:3456:789a::1] [fe80::1] [fe80::5efe:7f00:1]
    [fec0::1] [ff02::1] [ff0e::1] [100::1] [2001::1] [2001:2::1] [2001:10::1] [2001:20::1] [2001:db8::1] [3fff::1]
    [5f00::1] [4000::1] [fe80::1%eth0] [fe80::1%25eth0] [::1%25lo]
"""

WRAPPED_4 = """
    [::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:ffff:7f00:0001] [::FFFF:10.0.0.1] [::ffff:169.254.169.254]
    [::ffff:a9fe:a9fe] [::ffff:192.168.1.1] [::ffff:168.63.129.16] [::ffff:0:127.0.0.1] [::127.0.0.1] [::7f00:1]
    [::169.254.169.254] [::8.8.8.8] [64:ff9b::127.0.0.1] [64:ff9b::7f00:1] [64:ff9b::a9fe:a9fe] [64:ff9b::10.0.0.1]
    [64:ff9b:1::7f00:1] [64:ff9b:1::808:808] [2002:7f00:1::] [2002:7f00:1::1] [2002:a00:1::] [2002:a9fe:a9fe::]
    [2002:c0a8:101::1] [2001:0:4136:e378:8000:63bf:80ff:fffe] [2001:0:7f00:1::] [2001:0:808:808:0:0:f7f7:f7f7]
"""

INTERNAL_NAMES = """
    localhost LOCALHOST localhost. db.localhost localhost.localdomain wiki printer.local wiki.intranet nas.lan
    router.home git.corp vault.private 1.0.0.127.in-addr.arpa kubernetes.default.svc.cluster.local hidden.onion
    host.docker.internal api.test
"""

LEADING_INSIDE = {
    f"name{number}.example.com": addresses.split()
    for number, addresses in enumerate(
        (
            "127.0.0.1", "10.0.0.5", "172.20.0.5", "192.168.7.7", "169.254.169.254", "100.100.100.200",
            "168.63.129.16", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "fe80::1", "fd00:ec2::254",
            "::ffff:10.0.0.5", "64:ff9b::a00:5", "2002:a00:5::", f"{OUTSIDE} 10.0.0.5", f"10.0.0.5 {OUTSIDE}",
            f"{OUTSIDE_6} ::1", f"{OUTSIDE} {OUTSIDE_6} 127.0.0.1",
        )
    )
}  # fmt: skip
"""Names and what they lead to; one forbidden answer among good ones forbids the name."""

FORMS = (
    "http://user@example.org/",
    "http://user:secret@example.org/",
    "http://:@example.org/",
    "http://example.org@127.0.0.1/",
    "http://127.0.0.1@example.org/",
    "http://example.org:80@127.0.0.1/",
    "http://example.org\\@127.0.0.1/",
    "http:\\\\127.0.0.1\\",
    "http://127.0.0.1\\.example.org/",
    "http:/127.0.0.1/",
    "http:127.0.0.1/",
    "//127.0.0.1/",
    "http://example.org:22/",
    "http://example.org:8080/",
    "https://example.org:8443/",
    "http://example.org:0/",
    "http://example.org:65536/",
    "http://example.org:80:80/",
    "http://example.org:８０８０/",
    "http://127.0.0.1:80#@example.org/",
    "http://127.0.0.1?@example.org/",
    "http://example.org%00.evil.example/",
    "http://127.0.0.1%2f.example.org/",
    "http://[2606:4700:4700::1111%25eth0]/",
    "http://example%2eorg/",
    "http://%31%32%37.0.0.1/",
    "http://%6c%6f%63%61%6c%68%6f%73%74/",
    "http://loc%61lhost/",
    "http://[::1/",
    "http://::1/",
    "http://[127.0.0.1]/",
    "http://[::1].example.org/",
    "http://exa mple.org/",
    "http://example.org\t/",
    "http://127.0.0.1\r\nHost: example.org/",
    "http://example.org/\r\nX-Injected: 1",
    "http://exam\u2028ple.org/",
    "http://\u00a0127.0.0.1/",
    "http://127.0.0.1\u200b/",
    "http://loc\u00adalhost/",
    "http://example..org/",
    "http://.127.0.0.1/",
    "http://-/",
    f"http://{'a' * 64}.org/",
    f"http://{'a.' * 130}org/",
    f"http://example.org/{'a' * 2048}",
    "http://",
    "https:///path",
    "ftp://example.org/",
    "file:///etc/passwd",
    "file://127.0.0.1/etc/passwd",
    "gopher://127.0.0.1:6379/_INFO",
    "dict://127.0.0.1:11211/stats",
    "ws://127.0.0.1/",
    "data:text/html,hello",
    "javascript:alert(1)",
    "unix:///var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/info",
)


def _hosts(listed: str) -> tuple[str, ...]:
    return tuple(f"http://{host}/" for host in listed.split())


ATTACKS: dict[str, tuple[str, ...]] = {
    "IPv4 literals": _hosts(LITERAL_4),
    "metadata services": _hosts(METADATA),
    "IPv4 otherwise spelled": _hosts(SPELLED_4),
    "Unicode hosts": _hosts(UNICODE),
    "IPv6 literals": _hosts(LITERAL_6),
    "IPv4 inside IPv6": _hosts(WRAPPED_4),
    "internal names": _hosts(INTERNAL_NAMES),
    "names leading inside": _hosts(" ".join(LEADING_INSIDE)),
    "forms": FORMS,
}

GOOD_NAMES = (
    "http://example.org",
    "http://example.org/",
    "http://EXAMPLE.org/",
    "http://example.org./",
    "http://example.org:80/a?b=c#d",
    "http://example.org:443/",
    "https://example.org/",
    "https://example.org:443/",
    "http://www.example.co.uk/path_(with)_brackets",
    "http://under_score.example.org/",
    "http://a-b--c.example.org/",
    "http://bücher.example/straße?q=ä",
    "http://xn--bcher-kva.example/",
    "http://例え.example/",
    "http://localhost.example.org/",
    "http://127.0.0.1.example.org/",
    "http://10.example.org/",
    "http://0x7f.example.org/",
    "http://internal.example.org/",
    "http://home.example.org/",
    "http://example.org/http://127.0.0.1/",
    "http://example.org/?next=http://169.254.169.254/latest/",
    "http://example.org/@user/post",
    "http://example.org/?mail=user@example.org",
    "http://example.org/a%20b/%2F?x=%25&sig=x%2By%3D",
    "http://example.org/[1]?q={a}|b",
    f"http://example.org/{'a' * 1900}",
    "http://v6.example.org/",
    "http://both.example.org/",
)
GOOD_LITERALS = """
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.1 126.255.255.255 128.0.0.1 168.63.129.15
    168.63.129.17 169.253.255.255 169.255.0.1 172.15.255.255 172.32.0.1 192.0.1.1 192.88.98.255 192.167.255.255
    192.169.0.1 198.17.255.255 198.20.0.1 223.255.255.254 [2606:4700:4700::1111] [2a00:1450:4001:82a::200e]
    [2001:4860:4860::8888] [64:ff9b::8.8.8.8] [::ffff:8.8.8.8] [2002:808:808::1]
"""
GOOD = (*GOOD_NAMES, *_hosts(GOOD_LITERALS))
NAMES = {"v6.example.org": [OUTSIDE_6], "both.example.org": [OUTSIDE_6, OUTSIDE], **LEADING_INSIDE}

REDIRECTS: dict[str, tuple[str, ...]] = {
    "to a literal": ("http://127.0.0.1/",),
    "to a metadata service": ("http://169.254.169.254/latest/meta-data/iam/",),
    "to a name that leads inside": ("http://name1.example.com/",),
    "to IPv6": ("http://[::1]/",),
    "to IPv4 inside IPv6": ("http://[::ffff:10.0.0.1]/",),
    "to a hex host": ("http://0x7f.1/",),
    "to a Unicode host": ("http://①②⑦.0.0.1/",),
    "without a scheme": ("//127.0.0.1/",),
    "with a user name": ("http://example.org@127.0.0.1/",),
    "with backslashes": ("http:\\\\127.0.0.1\\",),
    "to another port": ("http://example.org:6379/",),
    "to a file": ("file:///etc/passwd",),
    "to another scheme": ("gopher://127.0.0.1:6379/_INFO",),
    "to half an address": ("http://[::1",),
    "to https inside": ("https://10.0.0.1/",),
    "over three good sites": ("http://a.example.org/", "http://b.example.org/", "http://c.example.org/", "http://10.1.1.1/"),
    "at the fifth step": (*(f"http://example.org/{step}" for step in range(4)), "http://192.168.0.1/"),
    "at the sixth step": (*(f"http://example.org/{step}" for step in range(5)), "http://192.168.0.1/"),
    "to a name that turns": ("http://turning.example.org/",),
}  # fmt: skip
"""Where the site answers with a redirect, one after another."""

GOOD_REDIRECTS: dict[str, tuple[str, ...]] = {
    "to another page": ("/elsewhere",),
    "to another site": ("http://a.example.org/page",),
    "without a scheme": ("//a.example.org/",),
    "five steps": tuple(f"http://example.org/{step}" for step in range(5)),
    "with a space": ("/a page",),
    "with an accent": ("/straße",),
}
