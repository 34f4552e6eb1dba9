"""Which URLs and addresses are fetched at all."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs import outbound
from jobs.errors import JointoError, Remedy
from jobs.outbound.urls import Target

PUBLIC = "93.184.215.14"

# The special-purpose registries of IANA for IPv4 and IPv6, what is not globally reachable; and multicast.
SPECIAL_V4 = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
    "168.63.129.16/32",
]
SPECIAL_V6 = [
    "::/128",
    "::1/128",
    "::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/32",
    "2001:2::/48",
    "2001:10::/28",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
    "fd00:ec2::254/128",
]

inner_v4 = st.sampled_from(SPECIAL_V4).flatmap(lambda network: st.ip_addresses(network=network))
inner_v6 = st.sampled_from(SPECIAL_V6).flatmap(lambda network: st.ip_addresses(network=network))


def inside(prefix: str, v4: outbound.Address, *, shift: int = 0) -> ipaddress.IPv6Address:
    return ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | int(v4) << shift)


wrapped = st.one_of(
    inner_v4.map(lambda v4: inside("::ffff:0:0", v4)),
    inner_v4.map(lambda v4: inside("::ffff:0:0:0", v4)),
    inner_v4.map(lambda v4: inside("64:ff9b::", v4)),
    inner_v4.map(lambda v4: inside("2002::", v4, shift=80)),
)
not_global = st.ip_addresses().filter(lambda address: not address.is_global)


def url_of(address: outbound.Address) -> str:
    return f"http://[{address}]/" if address.version == 6 else f"http://{address}/"


def public(host: str, port: int) -> list[str]:
    return [PUBLIC]


@given(st.one_of(inner_v4, inner_v6, wrapped, not_global))
def test_no_address_that_is_not_the_internets_is_reached_written_out_or_behind_a_name(
    address: outbound.Address,
) -> None:
    for url in (url_of(address), "http://inner.example/"):
        with pytest.raises(outbound.UrlRefused) as refused:
            outbound.check(url, resolve=lambda *_: [str(address)])
        assert str(address) not in refused.value.message
        assert refused.value.details == {"reason": "inner_address"}


@pytest.mark.parametrize(
    "address", [PUBLIC, "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::1.1.1.1", "::ffff:1.1.1.1", "2a01:4f8::1"]
)
def test_public_addresses_pass_also_behind_a_translating_network(address: str) -> None:
    outbound.check(url_of(ipaddress.ip_address(address)))
    outbound.check("https://public.example/", resolve=lambda *_: [address])


@given(
    st.text(max_size=60) | st.text(max_size=40).map("http://{}".format) | st.text(max_size=40).map("http://a/{}".format)
)
def test_any_text_is_either_a_clean_target_or_refused(text: str) -> None:
    try:
        target = Target.of(text)
    except outbound.UrlRefused:
        return
    assert target.path.startswith(b"/")
    assert all(0x21 <= byte <= 0x7E for byte in target.path)
    assert target.host.isascii()
    assert target.host == target.host.lower().strip("[].")
    assert 0 < target.port < 65536


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "scheme"),
        ("example.org", "scheme"),
        ("//example.org/", "scheme"),
        ("ftp://example.org/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://127.0.0.1:6379/_x", "scheme"),
        ("http://user@example.org/", "credentials"),
        ("http://user:secret@example.org/", "credentials"),
        ("http://127.0.0.1#@example.org/", "inner_address"),
        ("http://example.org\\@127.0.0.1/", "characters"),
        ("http://example.org/a b", "characters"),
        (" http://example.org/", "characters"),
        ("http://example.org/\r\nx: y", "characters"),
        ("http://example.org/\u200b", "characters"),
        ("http:///path", "host"),
        ("http://2130706433/", "host"),
        ("http://0x7f000001/", "host"),
        ("http://0/", "host"),
        ("http://127.1/", "host"),
        ("http://0177.0.0.1/", "unreadable"),
        ("http://0x7f.0.0.1/", "host"),
        ("http://127.0.0.1./", "host"),
        ("http://%31%32%37.0.0.1/", "host"),
        ("http://a..example/", "host"),
        ("http://-a.example/", "host"),
        ("http://example.org../", "host"),
        (f"http://{'a' * 64}.example/", "host"),
        (f"http://{'a.' * 130}example/", "host"),
        ("http://[fe80::1%25eth0]/", "host"),
        ("http://[::1/", "unreadable"),
        ("http://１２７.0.0.1/", "unreadable"),
        ("http://①②⑦.0.0.1/", "unreadable"),
        ("http://example.org:http/", "unreadable"),
        ("http://127.0.0.1/", "inner_address"),
        ("http://[::]/", "inner_address"),
        ("http://[::1]/", "inner_address"),
        ("http://[::ffff:127.0.0.1]/", "inner_address"),
        ("http://[0:0:0:0:0:ffff:7f00:1]/", "inner_address"),
        ("http://0.0.0.0/", "inner_address"),
        ("http://169.254.169.254/latest/meta-data/", "inner_address"),
        ("http://100.100.100.200/", "inner_address"),
        ("http://example.org:0/", "port"),
        ("http://example.org:65536/", "port"),
        ("http://example.org:22/", "port"),
        ("http://example.org:25/", "port"),
        ("https://example.org:6379/", "port"),
        ("http://example.org:11211/", "port"),
        ("http://example.org/" + "a" * 4096, "length"),
    ],
)
def test_a_url_that_is_not_fetched_says_why(url: str, reason: str) -> None:
    with pytest.raises(outbound.UrlRefused) as refused:
        outbound.check(url, resolve=public)
    error = refused.value
    assert (error.code, error.status, error.remedy) == ("url_refused", 422, Remedy.NONE)
    assert error.details == {"reason": reason}


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "localhost.localdomain", "ip6-localhost"])
def test_names_for_this_machine_lead_nowhere(host: str) -> None:
    with pytest.raises((outbound.UrlRefused, outbound.HostUnknown)):
        outbound.check(f"http://{host}/", allow=[])


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("HTTPS://Example.ORG./a#part", "example.org"),
        ("http://bücher.example/ü?q=ü", "xn--bcher-kva.example"),
        ("http://例え.example/", "xn--r8jz45g.example"),
        ("http://a_b.example:8443/", "a_b.example"),
        ("http://a。example/", "a.example"),
        ("http://1.2.3.4.nip.example/", "1.2.3.4.nip.example"),
    ],
)
def test_odd_but_honest_spellings_are_looked_up_under_one_name(url: str, host: str) -> None:
    asked: list[str] = []
    outbound.check(url, resolve=lambda name, port: [asked.append(name) or PUBLIC])  # type: ignore[func-returns-value]
    assert asked == [host]


@pytest.mark.parametrize(
    ("allow", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000/"),
        ("127.0.0.1", "http://[::ffff:127.0.0.1]/"),
        ("10.0.0.0/8", "http://10.1.2.3/"),
        ("10.0.0.0/8", "http://n8n.lan/"),
        ("n8n.lan", "http://N8N.lan./"),
        ("N8N.LAN:5678", "http://n8n.lan:5678/"),
        ("bücher.lan", "http://xn--bcher-kva.lan/"),
        ("fd00::/8", "http://[fd00::5]/"),
        ("[fd00::5]:8080", "http://[fd00::5]:8080/"),
        ("10.1.2.3:25", "http://10.1.2.3:25/"),
        ("n8n.lan:6379", "http://n8n.lan:6379/"),
    ],
)
def test_what_the_allow_list_names_may_be_inner(allow: str, url: str) -> None:
    outbound.check(url, allow=["other.lan", allow], resolve=lambda *_: ["10.1.2.3"])
    with pytest.raises(outbound.UrlRefused):
        outbound.check(url, allow=["other.lan", "192.168.0.0/16"], resolve=lambda *_: ["10.1.2.3"])


@pytest.mark.parametrize(
    ("allow", "url"),
    [
        ("n8n.lan:5678", "http://n8n.lan:5679/"),
        ("n8n.lan", "http://sub.n8n.lan/"),
        ("n8n.lan", "http://n8n.lan:6379/"),
        ("10.1.2.4/31", "http://10.1.2.3/"),
        ("10.1.2.3:80", "http://10.1.2.3:8080/"),
    ],
)
def test_the_allow_list_opens_no_more_than_it_names(allow: str, url: str) -> None:
    with pytest.raises(outbound.UrlRefused):
        outbound.check(url, allow=[allow], resolve=lambda *_: ["10.1.2.3"])


@pytest.mark.parametrize(
    "entry", ["", "http://n8n.lan", "10.0.0.0/33", "10.0.0.0/8/8", "*", "*.lan", "a b", "2130706433"]
)
def test_an_entry_of_the_allow_list_that_means_nothing_is_told(entry: str) -> None:
    with pytest.raises(ValueError, match="host"):
        outbound.check_allow(["n8n.lan", entry])


def test_a_name_without_address_is_unknown_and_a_silent_name_server_is_not() -> None:
    with pytest.raises(outbound.HostUnknown):
        outbound.check("http://nothing.example/", resolve=lambda *_: [])
    with pytest.raises((outbound.HostUnknown, outbound.OutboundUnreachable)) as failed:
        outbound.check("http://nothing.invalid/", timeout_seconds=30)
    assert failed.value.remedy is Remedy.RETRY


def test_an_error_of_the_resolver_reaches_who_asked() -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise socket.herror("odd")

    with pytest.raises(socket.herror):
        outbound.check("http://example.org/", resolve=resolve)


def test_every_error_has_a_code_of_its_own_and_a_sentence_that_says_what_to_do() -> None:
    errors = [value for value in vars(outbound).values() if isinstance(value, type) and issubclass(value, JointoError)]
    assert len({error.code for error in errors}) == len(errors) == 10
    assert all(":" in error.message and error.message.endswith(".") for error in errors)
