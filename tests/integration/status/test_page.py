"""What the status process shows to people and programs: the page and /status.json."""

import html.parser
import json
import re
import shutil
import subprocess

import pytest

from harness import ROOT, SANITIZED, read_response, request_bytes
from status_port import StatusServer


GIVEN_ID = "proxy-0123456789abcdef"


class Page(html.parser.HTMLParser):
    """Its elements and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name in ("href", "src")]
        assert not [name for name, _ in attributes if name.startswith("on") or name == "style"], attributes

    def handle_data(self, data):
        self.text += data


def state(server):
    return json.loads(server.ask("/status.json").body)


def test_the_page_stands_alone_and_only_refers_to_itself():
    with StatusServer("hello:app", "--workers", "2", wait=2) as server:
        answer = server.wait_status("/", 200)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        page = Page(answer.text)
        assert page.links == ["page.css", "page.js"]
        assert page.tags.count("tr") > 2
        assert 'http-equiv="refresh"' in answer.text
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        for path, kind in (("/page.css", "text/css"), ("/page.js", "text/javascript")):
            part = server.ask(path)
            assert part.status == 200
            assert part.headers["content-type"].startswith(kind)
            assert not re.search(r"https?://", part.text)


def test_the_request_that_a_worker_is_busy_with_is_shown():
    with StatusServer("faults:app", "--workers", "2", wait=2) as server:
        busy = server.connect()
        busy.sendall(request_bytes("/sleep?ms=2000", {"X-Request-Id": GIVEN_ID}))
        worker = server.wait_for(lambda: next((each for each in state(server)["workers"] if each["busy"]), None))
        assert worker["request"]["line"] == "GET /sleep?ms=2000 HTTP/1.1"
        assert worker["request"]["client"] == "127.0.0.1"
        assert worker["request"]["id"] == GIVEN_ID
        assert worker["pid"] in server.worker_pids()
        server.wait_for(lambda: "GET /sleep?ms=2000 HTTP/1.1" in Page(server.ask("/").text).text)
        assert GIVEN_ID in Page(server.ask("/").text).text
        assert read_response(busy).status == 200
        server.wait_for(lambda: not [each for each in state(server)["workers"] if each["busy"]])


HOSTILE = "/sleep?ms=2500&x=<script>alert(1)</script>&'\\%22%3Cimg%20src=x%20onerror=alert(1)%3E"


def test_what_clients_send_is_text_and_nothing_else():
    with StatusServer("faults:app", wait=1) as server:
        busy = server.connect()
        busy.sendall(request_bytes(HOSTILE, {"X-Forwarded-For": "<b>", "User-Agent": "<script>"}))
        server.wait_for(lambda: state(server)["workers_busy"] == 1)
        text = server.ask("/").text
        page = Page(text)
        assert page.tags.count("script") == 1
        assert "img" not in page.tags
        assert "x=<script>alert(1)</script>&'" in page.text
        assert state(server)["workers"][0]["request"]["line"] == f"GET {HOSTILE} HTTP/1.1"
        assert read_response(busy).status == 200


def test_an_end_is_shown_with_its_request_and_its_stack():
    with StatusServer("faults:app") as server:
        server.get("/segv?x=<i>", headers={"X-Request-Id": GIVEN_ID})
        end = server.wait_for(lambda: next((e for e in state(server)["last_ends"] if e["report"]), None))
        assert end["cause"] == "crash"
        assert end["request"].startswith("GET /segv")
        assert end["how"] == "was sent SIGSEGV"
        assert "segv" in end["report"]
        page = Page(server.ask("/").text)
        assert end["request_id"] == GIVEN_ID
        assert "was sent SIGSEGV" in page.text and GIVEN_ID in page.text and "i" not in page.tags


def test_settings_say_where_they_came_from_and_no_value_of_env(tmp_path):
    settings = tmp_path / "cppcorn.toml"
    settings.write_text("max_requests = 1000\nraw_env = ['PASSWORD=swordfish']\n")
    with StatusServer("hello:app", "--config", settings, "--env", "TOKEN=hunter2", env={"WEB_CONCURRENCY": "1"}) as server:
        found = {each["key"]: (each["value"], each["origin"]) for each in state(server)["settings"]}
        assert found["max_requests"] == ("1000", str(settings))
        assert found["workers"] == ("1", "environment WEB_CONCURRENCY")
        assert found["timeout"] == ("30", "default")
        assert found["env"] == ("TOKEN=***", "command line")
        everything = server.ask("/").text + server.ask("/status.json").text + server.ask("/metrics").text
        assert "hunter2" not in everything and "swordfish" not in everything


def documented_fields():
    text = (ROOT / "docs/status.md").read_text()
    part = text[text.index("## /status.json") :]
    part = part[: part.index("\n## ", 5)]
    return set(re.findall(r"^\| `([a-z0-9_.\[\]]+)`", part, re.MULTILINE))


def fields_of(value, path=""):
    if isinstance(value, dict):
        found = set()
        for name, each in value.items():
            found |= fields_of(each, f"{path}.{name}" if path else name)
        return found
    if isinstance(value, list):
        found = set()
        for each in value:
            found |= fields_of(each, path + "[]")
        return found
    return {path}


def test_each_field_of_status_json_is_documented():
    with StatusServer("faults:app", "--timeout", "5") as server:
        server.get("/segv")
        server.wait_for(lambda: next((e for e in state(server)["last_ends"] if e["report"]), None))
        server.wait_workers(1)
        busy = server.send("/sleep?ms=1000")
        server.wait_for(lambda: any(each["request"] for each in state(server)["workers"]))
        found = state(server)
        assert found["version"] == 1
        documented = documented_fields()
        assert fields_of(found) - documented - whole(documented, found) == set()
        assert read_response(busy).status == 200


def whole(documented, found):
    """Fields below one that is documented as a whole."""
    return {f for f in fields_of(found) for d in documented if f.startswith(d + ".") or f.startswith(d + "[]")}


def test_the_page_looks_like_something_in_a_browser(tmp_path):
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("chromium is not installed")
    if SANITIZED:
        pytest.skip("takes long")
    with StatusServer("hello:app", "--workers", "2", wait=2) as server:
        done = subprocess.run(
            [
                browser,
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                f"--user-data-dir={tmp_path / 'profile'}",
                "--virtual-time-budget=3000",
                "--dump-dom",
                f"http://127.0.0.1:{server.status_port}/",
            ],
            capture_output=True,
            timeout=35,
        )
        text = done.stdout.decode()
        assert "2 of 2 workers serve" in text and "<svg" in text
