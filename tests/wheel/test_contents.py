"""What is in the wheel and in the source distribution, what they say of themselves, and where the wheel can run."""

import email
import re
import subprocess
import tarfile
import zipfile

import pytest
from environments import ROOT, WHEEL

VERSION = re.search(r"project\(cppcorn VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text())[1]
INFO = f"cppcorn-{VERSION}.dist-info"
PARTS = ["libspdlog-dev", "libfmt-dev", "libcli11-dev", "libtomlplusplus-dev", "node-llhttp"]


@pytest.fixture(scope="module")
def wheel():
    with zipfile.ZipFile(WHEEL) as archive:
        yield archive


@pytest.fixture(scope="module")
def sources():
    path = WHEEL.with_name(f"cppcorn-{VERSION}.tar.gz")
    if not path.exists():
        pytest.skip(f"there is no {path.name} beside the wheel")
    with tarfile.open(path) as archive:
        return sorted(each.name.partition("/")[2] for each in archive if each.isfile())


def test_one_wheel_is_for_each_python_and_for_an_old_glibc(wheel):
    assert WHEEL.name.startswith(f"cppcorn-{VERSION}-cp310-abi3-manylinux_2_")
    tags = email.message_from_bytes(wheel.read(f"{INFO}/WHEEL")).get_all("Tag")
    assert any(re.fullmatch(r"cp310-abi3-manylinux_2_34_\w+", tag) for tag in tags)


def test_the_wheel_has_the_package_and_the_licences_of_its_parts(wheel):
    package = {f"cppcorn/{each.name}" for each in (ROOT / "bridges/python/cppcorn").glob("*.py")}
    package |= {"cppcorn/_version.py", "cppcorn/_cppcorn.abi3.so"}
    info = {f"{INFO}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")}
    info |= {f"{INFO}/licenses/{name}/copyright" for name in PARTS}
    assert {each for each in wheel.namelist() if not each.endswith("/")} == package | info
    assert WHEEL.stat().st_size < 2_000_000


def test_the_metadata(wheel):
    metadata = email.message_from_bytes(wheel.read(f"{INFO}/METADATA"))
    assert metadata["Version"] == VERSION
    assert metadata["Requires-Python"] == ">=3.10"
    assert metadata["License-Expression"] == "MIT"
    assert metadata.get_all("License-File") == ["LICENSE"]
    assert metadata.get_all("Requires-Dist") is None
    assert "Programming Language :: Python :: 3.14" in metadata.get_all("Classifier")
    assert metadata.get_payload().startswith("# cppcorn\n")
    assert wheel.read(f"{INFO}/entry_points.txt").decode().split() == (
        "[console_scripts] cppcorn = cppcorn.__main__:main".split()
    )


def test_it_needs_nothing_but_an_old_glibc(wheel, tmp_path):
    module = wheel.extract("cppcorn/_cppcorn.abi3.so", tmp_path)
    shown = subprocess.run(["objdump", "-p", module], capture_output=True, text=True, check=True).stdout
    needed = {each.split(".so")[0] for each in re.findall(r"NEEDED\s+(\S+)", shown)}
    assert needed <= {"libc", "libm", "libgcc_s", "ld-linux-x86-64", "ld-linux-aarch64"}
    versions = [tuple(map(int, each.split("."))) for each in re.findall(r"GLIBC_([\d.]+)", shown)]
    assert max(versions) <= (2, 34)
    assert "GLIBCXX" not in shown


def test_what_it_asks_for_is_pythons_or_has_a_version(wheel, tmp_path):
    """A function that nobody defines is no error of the linker's, since Python's are defined where it is loaded."""
    module = wheel.extract("cppcorn/_cppcorn.abi3.so", tmp_path)
    listed = subprocess.run(["nm", "-D", "--undefined-only", module], capture_output=True, text=True, check=True).stdout
    asked = [line.split() for line in listed.splitlines()]
    assert [name for kind, name in asked if kind == "U" and "@" not in name and not re.match("_?Py", name)] == []


def test_the_module_exports_its_start_only(wheel, tmp_path):
    module = wheel.extract("cppcorn/_cppcorn.abi3.so", tmp_path)
    listed = subprocess.run(["nm", "-D", "--defined-only", module], capture_output=True, text=True, check=True).stdout
    assert [line.split()[-1] for line in listed.splitlines()] == ["PyInit__cppcorn"]


def test_the_source_distribution_has_what_it_is_built_from(sources):
    folders = ["base", "bridges", "cmake", "include", "server", "workers"]
    asked = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run([*asked, *folders], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("this is no clone of git's, which knows what belongs to the sources")
    expected = {each for each in listed.stdout.split("\n") if each and (ROOT / each).exists()}
    assert set(sources) == expected | {"CMakeLists.txt", "LICENSE", "pyproject.toml", "PKG-INFO"}
