"""What an app's author does with an installed cppcorn: the guide's snippets, CMake, pkg-config, a unit test.

Runs with the build that CPPCORN_BUILD names, which has to have the program.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILD = Path(os.environ.get("CPPCORN_BUILD") or ROOT / "build/release")
COMPILERS = [name for name in ("g++", "clang++") if shutil.which(name)]
STRICT = ["-Wall", "-Wextra", "-pedantic", "-Werror"]


def snippets(page, language):
    """The blocks of code of a page, each with the number of its first line."""
    lines = (ROOT / page).read_text().splitlines()
    begin = None
    for number, line in enumerate(lines, 1):
        if line.startswith("```"):
            if begin is None:
                begin = number if line == f"```{language}" else -number
            else:
                if begin > 0:
                    yield pytest.param("\n".join(lines[begin : number - 1]) + "\n", id=f"{page}:{begin + 1}")
                begin = None


def first(page, language):
    return next(iter(snippets(page, language))).values[0]


HELLO = first("docs/app-guide.md", "cpp")
PROJECT = first("docs/app-guide.md", "cmake")
TEST_PROJECT = list(snippets("docs/app-guide.md", "cmake"))[1].values[0]
C_APP = first("docs/app-guide.md", "c")

# A struct that is visible outside, and holds what is cppcorn's.
UNIT_TEST = """
#include <cppcorn/app.hpp>
#include <cppcorn/static_files.hpp>

struct Fixture {
    cppcorn::Response response{200, {{"Content-Type", "text/plain"}}, "Hello\\n"};
    cppcorn::Headers headers;
    cppcorn::Body body;
    cppcorn::StartResponse start_response;
    std::optional<cppcorn::File> file;
    std::vector<cppcorn::StaticFiles> files;
};

class Failure : public cppcorn::BodyError {
    using BodyError::BodyError;
};

int main() {
    Fixture fixture;
    return fixture.response.body.text() == "Hello\\n" ? 0 : 1;
}
"""


def run(*command, env=None, cwd=None):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=env, cwd=cwd)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    tree = tmp_path_factory.mktemp("installed")
    run("cmake", "--install", BUILD, "--prefix", tree)
    return tree


@pytest.fixture(scope="module")
def pkg_config(prefix):
    (file,) = prefix.rglob("cppcorn.pc")

    def ask(*args):
        return run("pkg-config", *args, "cppcorn", env={**os.environ, "PKG_CONFIG_PATH": str(file.parent)}).split()

    return ask


def exported(library):
    return {line.split()[-1] for line in run("nm", "-D", "--defined-only", library).splitlines()}


class Project:
    """A CMake project in a directory of its own, as it is compiled."""

    def __init__(self, prefix, folder, files, *options, compiler="g++", generator="Ninja"):
        self.folder = folder
        for name, text in files.items():
            (folder / name).write_text(text)
        run(
            *("cmake", "-G", generator, "-S", folder, "-B", folder / "build"),
            *(f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"),
            *(f"-DCMAKE_CXX_COMPILER={compiler}", *options),
            env={name: value for name, value in os.environ.items() if name not in ("CXXFLAGS", "CFLAGS")},
        )

    def build(self):
        run("cmake", "--build", self.folder / "build")
        return self.folder / "build"

    def flags(self):
        """Those of its first source."""
        return json.loads((self.folder / "build/compile_commands.json").read_text())[0]["command"].split()


@pytest.fixture(scope="module")
def with_header(prefix, tmp_path_factory):
    """What makes a compiler take app.hpp as compiled before: most of the time goes into that."""
    made = {}

    def flags(compiler):
        if compiler not in made:
            header = tmp_path_factory.mktemp("compiled") / "all.hpp"
            header.write_text("#include <cppcorn/app.hpp>\n")
            compiled = f"{header}.{'gch' if compiler == 'g++' else 'pch'}"
            run(compiler, "-std=c++20", *STRICT, "-I", prefix / "include", "-x", "c++-header", header, "-o", compiled)
            made[compiler] = ["-include", header] if compiler == "g++" else ["-include-pch", compiled]
        return made[compiler]

    return flags


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("text", [*snippets("docs/app-guide.md", "cpp"), *snippets("README.md", "cpp")])
def test_each_snippet_compiles_without_a_warning(prefix, with_header, tmp_path, text, compiler):
    (tmp_path / "snippet.cpp").write_text(text)
    flags = ["-std=c++20", *STRICT, "-I", prefix / "include", *with_header(compiler)]
    run(compiler, *flags, "-fsyntax-only", tmp_path / "snippet.cpp")


@pytest.mark.parametrize("compiler", COMPILERS)
def test_the_guides_project_is_optimised_and_exports_its_app_only(prefix, tmp_path, compiler):
    project = Project(prefix, tmp_path, {"CMakeLists.txt": PROJECT, "hello.cpp": HELLO}, compiler=compiler)
    assert {"-O2", "-g"} <= set(project.flags())
    library = project.build() / "hello.so"
    assert exported(library) == {"cppcorn_app_app", "cppcorn_module_info_v1"}


@pytest.mark.parametrize(
    "options, generator, wanted, unwanted",
    [
        (("-DCMAKE_BUILD_TYPE=Debug",), "Ninja", "-g", "-O2"),
        (("-DCMAKE_BUILD_TYPE=Release",), "Ninja", "-O3", "-g"),
        (("-DCMAKE_CXX_FLAGS=-O1",), "Ninja", "-O1", "-O2"),
        ((), "Unix Makefiles", "-O2", "-O0"),
        (("-DCMAKE_CONFIGURATION_TYPES=Debug",), "Ninja Multi-Config", "-g", "-O2"),
    ],
)
def test_what_a_project_says_of_optimisation_counts(prefix, tmp_path, options, generator, wanted, unwanted):
    files = {"CMakeLists.txt": PROJECT, "hello.cpp": HELLO}
    flags = Project(prefix, tmp_path, files, *options, generator=generator).flags()
    assert wanted in flags
    assert unwanted not in flags


def test_a_project_in_c_needs_no_other_language(prefix, tmp_path):
    project = PROJECT.replace("LANGUAGES CXX", "LANGUAGES C").replace("hello.cpp", "hello.c")
    project = Project(prefix, tmp_path, {"CMakeLists.txt": project, "hello.c": C_APP})
    assert "-O2" in project.flags()
    assert "cppcorn_app_app" in exported(project.build() / "hello.so")


@pytest.mark.parametrize("compiler", COMPILERS)
def test_a_unit_test_links_to_cppcorn_app(prefix, tmp_path, compiler):
    project = PROJECT + "find_package(cppcorn REQUIRED) # as each part of a project does\n" + TEST_PROJECT
    project += "target_compile_options(hello_test PRIVATE -Wall -Wextra -Werror)\n"
    files = {"CMakeLists.txt": project, "hello.cpp": HELLO, "hello_test.cpp": UNIT_TEST}
    run(Project(prefix, tmp_path, files, compiler=compiler).build() / "hello_test")


@pytest.mark.parametrize("compiler", COMPILERS)
def test_pkg_config_knows_where_the_headers_are(prefix, pkg_config, tmp_path, compiler):
    assert re.fullmatch(r"\d+\.\d+\.\d+", pkg_config("--modversion")[0])
    assert [Path(flag[2:]).resolve() for flag in pkg_config("--cflags")] == [prefix / "include"]
    assert pkg_config("--libs") == []
    (tmp_path / "hello.cpp").write_text(HELLO)
    by_hand = ["-std=c++20", "-O2", "-g", "-fPIC", "-shared", "-fvisibility=hidden", *STRICT]
    run(compiler, *by_hand, *pkg_config("--cflags"), tmp_path / "hello.cpp", "-o", tmp_path / "hello.so")
    assert "cppcorn_app_app" in exported(tmp_path / "hello.so")


# Its headers are not taken for the system's here, which hides warnings.
@pytest.mark.parametrize("compiler", COMPILERS)
def test_what_holds_something_of_cppcorns_may_be_visible(prefix, tmp_path, compiler):
    (tmp_path / "unit.cpp").write_text(UNIT_TEST)
    run(compiler, "-std=c++20", "-fsyntax-only", *STRICT, "-I", prefix / "include", tmp_path / "unit.cpp")


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("header", ["app.hpp", "static_files.hpp"])
def test_an_older_standard_is_named_as_the_reason(prefix, tmp_path, compiler, header):
    (tmp_path / "old.cpp").write_text(f"#include <cppcorn/{header}>\n")
    command = [compiler, "-std=c++17", "-fsyntax-only", "-I", prefix / "include", tmp_path / "old.cpp"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    errors = [line for line in done.stderr.splitlines() if "error:" in line]
    assert len(errors) == 1
    assert "compile with -std=c++20" in errors[0]
