"""The files for Kubernetes: by its schemas, and that their times, names and numbers fit each other."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from harness import BINARY, ROOT, run

yaml = pytest.importorskip("yaml", reason="no YAML for Python (Debian: python3-yaml)")

FOLDER = ROOT / "deploy/kubernetes"
FILES = sorted(FOLDER.rglob("*.yaml"))
# The oldest and the newest that is looked at.
VERSIONS = ("1.29", "1.34")
PIP_INSTALL = ("install", "-q", "--retries", "1", "--timeout", "10", "kubernetes-validate==1.37.0")


def read(name):
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text())


@pytest.fixture(scope="module")
def pod():
    return read("deployment")["spec"]["template"]["spec"]


@pytest.fixture(scope="module")
def container(pod):
    assert len(pod["containers"]) == 1
    return pod["containers"][0]


@pytest.fixture(scope="module")
def settings(container):
    """As the program itself reads the command line."""
    done = run(*container["args"], "--print-config")
    assert done.code == 0, done
    return tomllib.loads(done.stdout)


def seconds_of(probe):
    """How long it takes from the first failure to the last that is borne."""
    return probe["periodSeconds"] * probe["failureThreshold"]


# ---- Times


def test_a_pod_has_time_for_all_that_a_stop_takes(pod, container, settings):
    hook = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    spare = 5
    stop = settings["shutdown_delay"] + settings["graceful_timeout"]
    assert pod["terminationGracePeriodSeconds"] >= hook + stop + spare


def test_a_request_that_has_begun_may_be_finished(settings):
    assert settings["graceful_timeout"] >= settings["timeout"]


def test_a_stopping_pod_serves_on_until_it_is_out_of_the_endpoints(container, settings):
    assert settings["shutdown_delay"] >= 2 * seconds_of(container["readinessProbe"])


def test_a_start_has_more_time_than_a_worker_has_to_load_the_app(container, settings):
    start = seconds_of(container["startupProbe"])
    assert start >= 2 * settings["boot_timeout"]  # a worker that could not start is tried again
    assert read("deployment")["spec"]["progressDeadlineSeconds"] >= 2 * start


def test_large_bodies_have_room(pod, settings):
    units = {"Mi": 2**20, "Gi": 2**30}
    size = next(volume["emptyDir"]["sizeLimit"] for volume in pod["volumes"] if volume["name"] == "tmp")
    factor = {"M": 2**20, "G": 2**30}
    limit = settings["spool_limit"]
    limit = limit if isinstance(limit, int) else int(limit[:-1]) * factor[limit[-1]]
    assert settings["workers"] * limit < int(size[:-2]) * units[size[-2:]]


# ---- Names and numbers


def test_each_finds_the_pods():
    labels = read("deployment")["spec"]["template"]["metadata"]["labels"]
    assert read("deployment")["spec"]["selector"]["matchLabels"] == labels
    assert read("service")["spec"]["selector"] == labels
    assert read("poddisruptionbudget")["spec"]["selector"]["matchLabels"] == labels
    assert read("networkpolicy")["spec"]["podSelector"]["matchLabels"] == labels
    target = read("horizontalpodautoscaler")["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", read("deployment")["metadata"]["name"])


def test_ports_are_those_that_the_program_listens_at(container):
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert f"--bind=0.0.0.0:{ports['http']}" in container["args"]
    assert f"--status-bind=0.0.0.0:{ports['status']}" in container["args"]
    annotations = read("deployment")["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(ports["status"])
    for name, path in (("startupProbe", "/ready"), ("readinessProbe", "/ready"), ("livenessProbe", "/live")):
        assert container[name]["httpGet"] == {"path": path, "port": "status"}
    assert [port["targetPort"] for port in read("service")["spec"]["ports"]] == ["http"]


def test_the_autoscaler_reads_what_the_adapter_makes():
    made = {rule["name"]["as"] for rule in rules()}
    assert {metric["pods"]["metric"]["name"] for metric in read("horizontalpodautoscaler")["spec"]["metrics"]} == made


def test_a_disruption_leaves_a_pod():
    least = read("horizontalpodautoscaler")["spec"]["minReplicas"]
    assert least > read("poddisruptionbudget")["spec"]["maxUnavailable"]


def rules():
    return yaml.safe_load(read("monitoring/prometheus-adapter")["data"]["config.yaml"])["rules"]


def test_what_belongs_to_others_is_not_applied_with_the_app():
    """`kubectl apply -f deploy/kubernetes` takes the files in that directory, and none below it."""
    assert {yaml.safe_load(path.read_text())["metadata"]["name"] for path in FOLDER.glob("*.yaml")} == {"myapp"}


@pytest.mark.parametrize("interval", ["30s", "45s", "1m"])
def test_prometheus_understands_what_the_adapter_asks(interval, tmp_path):
    promtool = shutil.which("promtool") or pytest.skip("promtool is not installed (Debian: prometheus)")
    filled = [
        rule["metricsQuery"].replace("<<.LabelMatchers>>", 'namespace="shop"').replace("<<.GroupBy>>", "pod")
        for rule in rules()
    ]
    groups = [{"name": "adapter", "rules": [{"record": f"r{n}", "expr": text} for n, text in enumerate(filled)]}]
    # Two pods for five minutes: 3 of 4 workers busy, and waits in the first band; the other has served nobody yet.
    series = []
    for pod, busy, counts in (("a", "3x10", "0+100x10"), ("b", "0x10", "0x10")):
        labels = f'namespace="shop",pod="{pod}"'
        series += [(f"cppcorn_workers_busy{{{labels}}}", busy), (f"cppcorn_workers_wanted{{{labels}}}", "4x10")]
        bucket = "cppcorn_request_queue_seconds_bucket"
        series += [(f'{bucket}{{{labels},le="{bound}"}}', counts) for bound in ("0.1", "+Inf")]

    def expected(record, values):
        samples = [{"labels": f'{record}{{pod="{pod}"}}', "value": value} for pod, value in values.items()]
        return {"expr": record, "eval_time": "5m", "exp_samples": samples}

    tests = [{
        "interval": interval,
        "input_series": [{"series": name, "values": values} for name, values in series],
        "promql_expr_test": [expected("r0", {"a": 0.75, "b": 0}), expected("r1", {"a": 0.095, "b": 0})],
    }]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": groups}))
    (tmp_path / "test.yaml").write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "tests": tests}))
    done = subprocess.run([promtool, "test", "rules", tmp_path / "test.yaml"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


# ---- Schemas


@pytest.fixture(scope="module")
def validator():
    """kubernetes-validate of PyPI, which has the schemas of each version. It is kept in the build's directory."""
    found = os.environ.get("CPPCORN_KUBERNETES_VALIDATE") or shutil.which("kubernetes-validate")
    if found:
        return found
    folder = Path(BINARY).parent / "kubernetes-validate"
    program = folder / "bin/kubernetes-validate"
    if not program.exists():
        try:
            for command in ([sys.executable, "-m", "venv", folder], [folder / "bin/pip", *PIP_INSTALL]):
                subprocess.run(command, capture_output=True, text=True, timeout=200, check=True)
        except subprocess.SubprocessError as error:
            shutil.rmtree(folder, ignore_errors=True)
            why = (getattr(error, "stderr", "") or getattr(error, "stdout", "") or str(error)).strip()
            pytest.skip(f"no kubernetes-validate from PyPI: {why[-200:]}")
    return program


@pytest.mark.parametrize("version", VERSIONS)
def test_each_file_is_valid(validator, version):
    done = subprocess.run([validator, "--strict", "-k", version, *FILES], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (done.stdout + done.stderr).count(" passed ") == len(FILES)
