"""Proxies in front: whose words are believed, where the app is mounted, and the PROXY protocol."""

import json
import socket
import struct

import pytest

from harness import Server, has_ipv6, read_end, read_response, request_bytes, run

TRUSTED = "127.0.0.1"
STRANGER = "127.0.0.2"
V2_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V1 = b"PROXY TCP4 192.0.2.1 127.0.0.1 4660 80\r\n"
LOCAL = V2_SIGNATURE + b"\x20\x00\0\0"


def v2(source="192.0.2.1", port=4660, tlvs=b""):
    addresses = socket.inet_aton(source) + socket.inet_aton("127.0.0.1") + struct.pack("!HH", port, 80)
    return V2_SIGNATURE + b"\x21\x11" + struct.pack("!H", len(addresses) + len(tlvs)) + addresses + tlvs


def connect(server, source=TRUSTED):
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=10, source_address=(source, 0))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def environ_on(sock, path="/", headers=None, before=b""):
    sock.sendall(before + request_bytes(path, headers))
    answer = read_response(sock)
    assert answer.status == 200, answer
    return json.loads(answer.body)


def environ(server, headers=None, path="/", source=TRUSTED, before=b""):
    with connect(server, source) as sock:
        return environ_on(sock, path, headers, before)


def status(server, lines, source=TRUSTED):
    with connect(server, source) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n" + lines + b"\r\n")
        return read_response(sock).status


def is_closed_without_a_word(sock):
    try:
        return sock.recv(100) == b""
    except ConnectionResetError:
        return True


@pytest.fixture(scope="module")
def usual():
    with Server("environ:app", "--access-logfile", "-", "--access-logformat", '%(h)s "%({x-forwarded-for}i)s"') as server:
        yield server


FORWARDED = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "example.org",
    "Forwarded": "for=203.0.113.9",
    "SCRIPT_NAME": "/shop",
}


def test_a_trusted_peer_is_believed(usual):
    env = environ(usual, FORWARDED, "/shop/cart")
    assert env["wsgi.url_scheme"] == "https"
    assert env["HTTP_X_FORWARDED_FOR"] == "203.0.113.9"
    assert env["HTTP_X_FORWARDED_PROTO"] == "https"
    assert env["HTTP_X_FORWARDED_HOST"] == "example.org"
    assert env["HTTP_FORWARDED"] == "for=203.0.113.9"
    assert (env["SCRIPT_NAME"], env["PATH_INFO"]) == ("/shop", "/cart")
    assert env["REMOTE_ADDR"] == TRUSTED


def test_a_stranger_is_not(usual):
    env = environ(usual, {**FORWARDED, "X-Forwarded-Ssl": "on", "Script-Name": "/x", "Accept": "y"}, "/shop/cart", source=STRANGER)
    assert env["wsgi.url_scheme"] == "http"
    assert (env["SCRIPT_NAME"], env["PATH_INFO"]) == ("", "/shop/cart")
    assert {name for name in env if name.startswith("HTTP_")} == {"HTTP_HOST", "HTTP_ACCEPT", "HTTP_X_REQUEST_ID"}
    assert env["REMOTE_ADDR"] == STRANGER


def test_what_one_request_told_is_forgotten_with_it(usual):
    with connect(usual) as sock:
        assert environ_on(sock, headers=FORWARDED)["wsgi.url_scheme"] == "https"
        env = environ_on(sock)
        assert (env["wsgi.url_scheme"], env["SCRIPT_NAME"]) == ("http", "")
    for _ in range(3):  # also where the memory of the trusted one is used again
        assert environ(usual, FORWARDED)["SCRIPT_NAME"] == "/shop"
        assert environ(usual, source=STRANGER)["wsgi.url_scheme"] == "http"


def test_contradictory_schemes_are_refused(usual):
    both = b"X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off\r\n"
    assert status(usual, both) == 400
    assert status(usual, both, source=STRANGER) == 200
    assert status(usual, b"X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: on\r\n") == 200
    assert status(usual, b"SCRIPT_NAME: nowhere\r\n") == 400


def test_the_refused_request_is_not_served_with_its_body(usual):
    with connect(usual) as sock:
        sock.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off\r\nContent-Length: 30\r\n\r\n"
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n    "
        )
        assert read_response(sock).status == 400
        assert read_end(sock) == b""


@pytest.mark.parametrize("listed, trusted", [("127.0.0.0/8", True), ("*", True), ("::ffff:127.0.0.2", True), ("10.0.0.0/8,::1", False), ("", False)])
def test_forwarded_allow_ips_takes_networks(listed, trusted):
    with Server("environ:app", "--forwarded-allow-ips", listed) as server:
        env = environ(server, FORWARDED, source=STRANGER)
        assert env["wsgi.url_scheme"] == ("https" if trusted else "http")


def test_the_environment_names_trusted_peers_too():
    with Server("environ:app", env={"FORWARDED_ALLOW_IPS": STRANGER}) as server:
        assert environ(server, FORWARDED, source=STRANGER)["wsgi.url_scheme"] == "https"
        assert environ(server, FORWARDED, source=TRUSTED)["wsgi.url_scheme"] == "http"


def test_a_peer_on_a_unix_socket_is_trusted(tmp_path):
    path = str(tmp_path / "sock")
    with Server("environ:app", "--forwarded-allow-ips", "", bind=f"unix:{path}") as server:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(10)
            sock.connect(path)
            assert environ_on(sock, headers=FORWARDED)["wsgi.url_scheme"] == "https"
        assert server.tree()


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on this machine")
def test_a_peer_that_comes_over_ipv6_is_looked_up_by_its_own_address():
    with Server("environ:app", bind="[::]:0") as server:
        env = environ(server, FORWARDED)
        assert (env["wsgi.url_scheme"], env["REMOTE_ADDR"]) == ("https", TRUSTED)
        assert environ(server, FORWARDED, source=STRANGER)["wsgi.url_scheme"] == "http"
        with server.connect(host="::1") as sock:
            assert environ_on(sock, headers=FORWARDED)["wsgi.url_scheme"] == "https"


def test_headers_of_other_names():
    options = ("--secure-scheme-headers", "Front-End-Https: on", "--forwarder-headers", "REMOTE_USER")
    with Server("environ:app", *options) as server:
        env = environ(server, {**FORWARDED, "Front-End-Https": "on", "REMOTE_USER": "ada"})
        assert env["wsgi.url_scheme"] == "https"
        assert env["HTTP_REMOTE_USER"] == "ada"
        assert env["SCRIPT_NAME"] == "" and "HTTP_SCRIPT_NAME" not in env
        assert environ(server, FORWARDED)["wsgi.url_scheme"] == "http"
        stranger = environ(server, {"Front-End-Https": "on", "REMOTE_USER": "ada"}, source=STRANGER)
        assert not {"HTTP_FRONT_END_HTTPS", "HTTP_REMOTE_USER"} & set(stranger)


def test_a_stranger_is_not_believed_with_the_dangerous_header_map_either():
    with Server("environ:app", "--header-map", "dangerous") as server:
        headers = {"SCRIPT_NAME": "/shop", "X_Forwarded_For": "203.0.113.9", "Other_Name": "x"}
        env = environ(server, headers, source=STRANGER)
        assert env["SCRIPT_NAME"] == ""
        assert {name for name in env if name.startswith("HTTP_")} == {"HTTP_HOST", "HTTP_OTHER_NAME", "HTTP_X_REQUEST_ID"}


def test_header_map_refuse_goes_for_all_but_the_forwarder_headers():
    with Server("environ:app", "--header-map", "refuse") as server:
        assert status(server, b"SCRIPT_NAME: /a\r\n") == 200
        assert status(server, b"SCRIPT_NAME: /a\r\n", source=STRANGER) == 400
        assert status(server, b"OTHER_NAME: /a\r\n") == 400


@pytest.mark.parametrize(
    "path, path_info",
    [("/shop/a%20b", "/a b"), ("/shop/", "/"), ("/shop", ""), ("/shopping", "/shopping"), ("/a", "/a"), ("/sh%6fp/x?y=1", "/x"), ("/shop/shop", "/shop")],
)
def test_root_path(path, path_info):
    with Server("environ:app", "--root-path", "/shop/") as server:
        env = environ(server, path=path, source=STRANGER)
        assert (env["SCRIPT_NAME"], env["PATH_INFO"], env["RAW_URI"]) == ("/shop", path_info, path)
        assert environ(server, {"SCRIPT_NAME": "/other"}, "/other/x")["PATH_INFO"] == "/x"


def test_a_mount_point_may_be_percent_encoded(usual):
    env = environ(usual, {"SCRIPT_NAME": "/my%20app"}, "/my%20app/a%20b")
    assert (env["SCRIPT_NAME"], env["PATH_INFO"]) == ("/my app", "/a b")
    with Server("environ:app", "--root-path", "/my%20app") as server:
        for path in ("/my%20app/x", "/m%79%20app/x"):
            env = environ(server, path=path)
            assert (env["SCRIPT_NAME"], env["PATH_INFO"]) == ("/my app", "/x")


# ---- The PROXY protocol


@pytest.fixture(scope="module")
def automatic():
    options = ("--proxy-protocol", "auto", "--access-logfile", "-", "--access-logformat", "%(h)s %(U)s")
    with Server("environ:app", *options) as server:
        yield server


@pytest.mark.parametrize("mode, header", [("v1", V1), ("v2", v2()), ("v2", v2(tlvs=b"\x04\0\x03abc")), ("auto", V1), ("auto", v2())])
def test_the_client_that_a_proxy_tells(mode, header):
    with Server("environ:app", "--proxy-protocol", mode, "--access-logfile", "-", "--access-logformat", "%(h)s %(U)s") as server:
        with connect(server) as sock:
            env = environ_on(sock, "/first", before=header)
            assert (env["REMOTE_ADDR"], env["REMOTE_PORT"]) == ("192.0.2.1", "4660")
            assert environ_on(sock, "/second")["REMOTE_ADDR"] == "192.0.2.1"
        server.wait_for(lambda: "192.0.2.1 /second" in server.stdout_text(), what="the access log's line")
        assert "192.0.2.1 /first" in server.stdout_text()


@pytest.mark.parametrize("header", [V1, v2()])
def test_a_header_in_single_bytes(automatic, header):
    with connect(automatic) as sock:
        for byte in header + request_bytes("/"):
            sock.sendall(bytes([byte]))
        assert json.loads(read_response(sock).body)["REMOTE_ADDR"] == "192.0.2.1"


def test_a_header_and_requests_in_one_segment(automatic):
    with connect(automatic) as sock:
        sock.sendall(v2() + request_bytes("/a") + request_bytes("/b"))
        for path in ("/a", "/b"):
            env = json.loads(read_response(sock).body)
            assert (env["PATH_INFO"], env["REMOTE_ADDR"]) == (path, "192.0.2.1")


def test_a_request_long_after_the_header(automatic):
    with connect(automatic) as sock:
        sock.sendall(V1)
        with connect(automatic) as other:  # the worker has read the header once it has answered the one behind
            environ_on(other)
        assert environ_on(sock)["REMOTE_ADDR"] == "192.0.2.1"


@pytest.mark.parametrize("header", [LOCAL, b"PROXY UNKNOWN\r\n", V2_SIGNATURE + b"\x21\x00\0\0", b""])
def test_without_an_address_the_peer_is_the_client(automatic, header):
    assert environ(automatic, before=header)["REMOTE_ADDR"] == TRUSTED


def test_trust_goes_by_the_client_that_is_told(automatic):
    """A proxy that speaks it may know nothing of HTTP: what looks like its headers is then the client's own."""
    assert environ(automatic, FORWARDED, before=V1)["wsgi.url_scheme"] == "http"
    assert environ(automatic, FORWARDED, before=b"PROXY UNKNOWN\r\n")["wsgi.url_scheme"] == "http"
    assert environ(automatic, FORWARDED, before=v2("127.0.0.1"))["wsgi.url_scheme"] == "https"
    assert environ(automatic, FORWARDED, before=LOCAL)["wsgi.url_scheme"] == "https"
    assert environ(automatic, FORWARDED)["wsgi.url_scheme"] == "https"
    with Server("environ:app", "--proxy-protocol", "v1", "--forwarded-allow-ips", "192.0.2.0/24") as server:
        assert environ(server, FORWARDED, before=V1)["wsgi.url_scheme"] == "https"


@pytest.mark.parametrize("mode", ["v1", "v2", "auto"])
@pytest.mark.parametrize("header", [V1, v2(), b"PROXY nonsense\r\n"])
def test_a_stranger_may_not_send_one(mode, header):
    with Server("environ:app", "--proxy-protocol", mode) as server:
        with connect(server, STRANGER) as sock:
            sock.sendall(header + request_bytes("/"))
            assert is_closed_without_a_word(sock)
        server.wait_log(r"\[WARNING\] Connection from ip=127\.0\.0\.2 closed: a PROXY header, which --proxy-allow-from forbids")
        assert environ(server, source=STRANGER)["REMOTE_ADDR"] == STRANGER


def test_who_may_send_one_can_be_named(tmp_path):
    with Server("environ:app", "--proxy-protocol", "v1", "--proxy-allow-from", "127.0.0.2/31") as server:
        assert environ(server, before=V1, source=STRANGER)["REMOTE_ADDR"] == "192.0.2.1"
        assert environ(server, source=TRUSTED)["REMOTE_ADDR"] == TRUSTED
    path = str(tmp_path / "sock")
    with Server("environ:app", "--proxy-protocol", "v1", "--proxy-allow-from", "", bind=f"unix:{path}"):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(10)
            sock.connect(path)
            assert environ_on(sock, before=V1)["REMOTE_ADDR"] == "192.0.2.1"


@pytest.mark.parametrize("mode, header", [("v1", b""), ("v2", b""), ("v1", v2()), ("v2", V1)])
def test_a_header_that_must_be_there(mode, header):
    with Server("environ:app", "--proxy-protocol", mode) as server:
        with connect(server) as sock:
            sock.sendall(header + request_bytes("/"))
            assert is_closed_without_a_word(sock)
        server.wait_log(r"\[WARNING\] Connection from ip=127\.0\.0\.1 closed: no PROXY header, which --proxy-protocol demands")


@pytest.mark.parametrize(
    "garbage, reason",
    [
        (b"PROXY TCP4 nonsense\r\n", "malformed PROXY line"),
        (b"PROXY UNKNOWN " + b"x" * 200, "PROXY line over 107 bytes"),
        (b"PROXY TCP4 192.0.2.1 127.0.0.1 1 2\n", "PROXY line without CR"),
        (V2_SIGNATURE + b"\x11\x11\0\x0c", "unknown PROXY version or command"),
        (V2_SIGNATURE + b"\x21\x11\xff\xff", "PROXY header over 4 KiB"),
        (V2_SIGNATURE + b"\x21\x11\0\x0b" + b"x" * 11, "PROXY header without its addresses"),
    ],
)
def test_garbage_ends_the_connection(garbage, reason):
    with Server("environ:app", "--proxy-protocol", "auto") as server:
        with connect(server) as sock:
            sock.sendall(garbage)
            assert is_closed_without_a_word(sock)
        server.wait_log(rf"\[WARNING\] Connection from ip=127\.0\.0\.1 closed: {reason}")


def test_the_log_of_refused_headers_is_bounded():
    with Server("environ:app", "--proxy-protocol", "v1", "--workers", "1") as server:
        for _ in range(100):
            with connect(server, STRANGER) as sock:
                sock.sendall(V1)
                assert is_closed_without_a_word(sock)
        server.wait_log("forbids")
        assert server.count_log("forbids") < 50


@pytest.mark.parametrize("begin", [b"PROXY TCP4 ", V2_SIGNATURE + b"\x21", V1, V1 + b"GET / HT", b"P"])
def test_a_header_and_the_head_behind_it_have_one_deadline(begin):
    with Server("environ:app", "--proxy-protocol", "auto", "--header-timeout", "0.7") as server:
        with connect(server) as sock:
            sock.sendall(begin)
            end = read_end(sock)
            assert end == b"" or end.startswith(b"HTTP/1.1 408 ")
            assert (end != b"") == (b"GET" in begin)
        assert environ(server)["REMOTE_ADDR"] == TRUSTED


def test_it_is_off_unless_asked_for(usual):
    with connect(usual) as sock:
        sock.sendall(V1 + request_bytes("/"))
        assert read_response(sock).status == 400


def test_a_bad_setting_is_one_line(tmp_path):
    (tmp_path / "cppcorn.toml").write_text("forwarded_allow_ips = '10.0.0.0/33'\n")
    result = run("environ:app", cwd=tmp_path)
    assert result.code == 1
    assert len(result.stderr.splitlines()) == 1
    assert "forwarded_allow_ips: '10.0.0.0/33' is no address or network; allowed: " in result.stderr
