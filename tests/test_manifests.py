"""The Kubernetes manifests: they keep the rules of manifests.py, each rule notices its breach, and the programs start as the manifests tell them."""
import copy
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest
import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from manifests import LIVENESS, METRICS, READINESS, ROOT, System, breaches, load  # noqa: E402

K8S = ROOT / "k8s"
BIN = pathlib.Path(os.environ.get("TRACKOPS_TEST_BIN", str(ROOT / "build/release/bin/trackops"))).parent
SERVICES = ("order-service", "inventory-service", "event-relay-service")


@pytest.mark.parametrize("paths", [[K8S], [K8S, K8S / "dev"], *[[K8S / "00-namespace.yaml", K8S / f"{name}.yaml"] for name in SERVICES]], ids=str)
def test_the_manifests_keep_the_rules(paths):
    assert breaches(load(paths)) == []


def find(documents, kind, name):
    return next(each for each in documents if (each["kind"], each["metadata"]["name"]) == (kind, name))


def drop(kind, name):
    return lambda documents: documents.remove(find(documents, kind, name))


def put(kind, name, path, value):
    """Plants `value` at a path such as spec/template/spec/containers/0/image; None takes away what is there."""
    def plant(documents):
        place, steps = find(documents, kind, name), path.split("/")
        for step in steps[:-1]:
            place = place[int(step) if step.isdigit() else step]
        if value is None:
            del place[steps[-1]]
        else:
            place[int(steps[-1]) if steps[-1].isdigit() else steps[-1]] = value
    return plant


POD = "spec/template/spec/"
CONTAINER = POD + "containers/0/"
ORDERS, RELAY = ("Deployment", "order-service"), ("Deployment", "event-relay-service")
NETWORK = ("NetworkPolicy", "order-service")
FAULTS = [
    (lambda documents: documents.append(documents.pop(0)), "the Namespace is not the first document"),
    (put("Namespace", "trackops", "metadata/labels", {}), "the Namespace does not enforce the restricted pod security"),
    (put("Service", "order-service", "metadata/namespace", "default"), "Service/order-service is not in the namespace trackops"),
    (lambda documents: documents.append(copy.deepcopy(documents[-1])), "is there twice"),
    (lambda documents: find(documents, *ORDERS)["metadata"]["labels"].pop("app.kubernetes.io/name"), "the label app.kubernetes.io/name is None"),
    (put(*ORDERS, POD + "securityContext/runAsNonRoot", None), "Deployment/order-service may run as root"),
    (put(*ORDERS, POD + "securityContext/runAsUser", 1000), "runs as another user than its image's"),
    (put(*ORDERS, POD + "securityContext/seccompProfile", None), "has no seccomp profile"),
    (put(*ORDERS, POD + "hostNetwork", True), "shares a namespace with its node"),
    (put(*ORDERS, POD + "volumes/0", {"name": "secrets", "hostPath": {"path": "/"}}), "mounts a folder of its node"),
    (put(*ORDERS, CONTAINER + "securityContext/allowPrivilegeEscalation", None), "may gain privileges"),
    (put(*ORDERS, CONTAINER + "securityContext/readOnlyRootFilesystem", False), "may write to its root file system"),
    (put(*ORDERS, CONTAINER + "securityContext/capabilities/add", ["NET_ADMIN"]), "keeps capabilities"),
    (put("Job", "order-migrate-0-2-0", CONTAINER + "securityContext/capabilities", None), "migrate keeps capabilities"),
    (put(*ORDERS, POD + "serviceAccountName", None), "has no ServiceAccount of these documents"),
    (put("ServiceAccount", "order-service", "automountServiceAccountToken", None), "ServiceAccount/order-service gives a token"),
    (put(*ORDERS, POD + "automountServiceAccountToken", True), "mounts a token"),
    (put(*ORDERS, POD + "enableServiceLinks", None), "gets variables for each Service"),
    (put(*ORDERS, CONTAINER + "env/0", {"name": "X", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}), "has a secret in its environment"),
    (put(*ORDERS, CONTAINER + "env/0/value", "/run/secrets/elsewhere"), "which no Secret is mounted at"),
    (put("ConfigMap", "order-service", "data/TRACKOPS_DATABASE_URL", "postgres://me:secret@postgres/trackops"), "TRACKOPS_DATABASE_URL holds a password"),
    (put(*ORDERS, CONTAINER + "env/0/name", "TRACKOPS_OTHER_FILE"), "TRACKOPS_DATABASE_URL has no TRACKOPS_DATABASE_PASSWORD_FILE"),
    (put(*ORDERS, CONTAINER + "livenessProbe/httpGet/path", "/actuator/health"), "the liveness probe does not ask /actuator/health/liveness"),
    (put(*ORDERS, CONTAINER + "readinessProbe/httpGet/port", "http"), "the readiness probe does not ask"),
    (put(*ORDERS, CONTAINER + "startupProbe/failureThreshold", 150), "the startup probe gives up before the program does"),
    (put(*ORDERS, "spec/template/metadata/annotations", {}), "Prometheus is not told"),
    (put(*ORDERS, CONTAINER + "lifecycle", None), "preStop has to sleep"),
    (put(*ORDERS, POD + "terminationGracePeriodSeconds", 40), "is killed before it has drained"),
    (put("ConfigMap", "order-service", "data/TRACKOPS_DRAIN", "1m"), "is killed before it has drained"),
    (put(*ORDERS, CONTAINER + "resources/limits/memory", None), "has no limits of memory"),
    (put(*ORDERS, CONTAINER + "resources/limits/memory", "300Mi"), "leaves no room beside TRACKOPS_MEMORY_BUDGET"),
    (put(*ORDERS, "spec/selector/matchLabels/app", "orders"), "does not select its own pods"),
    (put(*ORDERS, "spec/selector/matchLabels", {"app.kubernetes.io/part-of": "trackops"}), "selects the pods of Deployment/event-relay-service"),
    (put("Job", "order-migrate-0-2-0", "spec/template/metadata/labels/app", "order-service"), "selects the pods of Job/order-migrate-0-2-0"),
    (put("Service", "order-service", "spec/selector/app", "orders"), "Service/order-service selects []"),
    (put("Service", "order-service", "spec/ports/0/port", 80), "leads to the port http of no container"),
    (drop("Service", "order-service"), "Deployment/order-service has no Service"),
    (put("ConfigMap", "order-service", "data/TRACKOPS_PORT", "8090"), "the program listens on"),
    (put("ConfigMap", "order-service", "data/TRACKOPS_PUBLIC_HOST", "shop.example"), "answers 421"),
    (drop("PodDisruptionBudget", "order-service"), "has no PodDisruptionBudget"),
    (put("PodDisruptionBudget", "order-service", "spec/selector/matchLabels/app", "orders"), "has no PodDisruptionBudget"),
    (put(*ORDERS, "spec/strategy/rollingUpdate/maxUnavailable", 1), "has fewer replicas while it is rolled"),
    (put(*ORDERS, POD + "affinity", None), "may have all replicas on one node"),
    (put(*ORDERS, POD + "topologySpreadConstraints", None), "may have all replicas in one zone"),
    (drop("HorizontalPodAutoscaler", "order-service"), "has no HorizontalPodAutoscaler"),
    (put(*ORDERS, "spec/replicas", 2), "has a number of replicas beside"),
    (put("HorizontalPodAutoscaler", "order-service", "spec/minReplicas", 1), "allows too few replicas"),
    (put("HorizontalPodAutoscaler", "order-service", "spec/maxReplicas", 7), "allows more replicas than there are partitions"),
    (put("HorizontalPodAutoscaler", "order-service", "spec/scaleTargetRef/name", "orders"), "HorizontalPodAutoscaler/orders scales nothing"),
    (put(*RELAY, "spec/replicas", 3), "has 3 replicas or an autoscaler"),
    (drop("NetworkPolicy", "default-deny"), "no NetworkPolicy denies by default"),
    (drop(*NETWORK), "Deployment/order-service has 0 NetworkPolicies"),
    (put(*NETWORK, "spec/policyTypes", ["Ingress"]), "leaves a direction open"),
    (put(*NETWORK, "spec/egress/2", {}), "Deployment/order-service may call ('anywhere',)"),
    (lambda documents: find(documents, *NETWORK)["spec"]["egress"].pop(2), "Deployment/order-service may not call ('trackops', 'app.kubernetes.io/name=kafka', 'TCP', 9092)"),
    (put(*NETWORK, "spec/egress/1/to/0", {"namespaceSelector": {}}), "may call"),
    (put("ConfigMap", "order-service", "data/TRACKOPS_CACHE_URL", "redis://redis:6380"), "may not call ('trackops', 'app.kubernetes.io/name=redis', 'TCP', 6380)"),
    (put(*NETWORK, "spec/ingress/1/from", None), "may be called by everybody"),
    (put(*NETWORK, "spec/ingress/0/ports/0/port", "management"), "the management port is open to"),
    (put(*ORDERS, CONTAINER + "image", "ghcr.io/trackops/order-service:0.3.0"), "the images are of the versions"),
    (put(*ORDERS, CONTAINER + "image", "order-service:latest"), "the image has no version"),
    (put(*ORDERS, CONTAINER + "image", "ghcr.io/trackops/inventory-service:0.2.0"), "runs the image ghcr.io/trackops/inventory-service:0.2.0"),
    (put("Job", "order-migrate-0-2-0", "metadata/name", "order-migrate"), "its name has to end with its version"),
    (put("Job", "order-migrate-0-2-0", CONTAINER + "args", ["dev"]), "runs something else than `trackops migrate`"),
]


@pytest.mark.parametrize("plant, breach", FAULTS, ids=[breach for _, breach in FAULTS])
def test_a_breach_is_noticed(plant, breach):
    documents = load([K8S])
    plant(documents)
    assert any(breach in found for found in breaches(documents))


def test_each_folder_lists_its_files_for_kustomize():
    for folder in (K8S, K8S / "dev"):
        listed = yaml.safe_load((folder / "Kustomization").read_text(encoding="utf-8"))["resources"]
        assert sorted(listed) == sorted(file.name for file in folder.glob("*.yaml"))


def test_the_dev_servers_know_the_roles_and_the_passwords():
    documents = load([K8S, K8S / "dev"])
    assert find(documents, "ConfigMap", "postgres")["data"]["roles.sql"] == (ROOT / "servers/roles.sql").read_text(encoding="utf-8")
    secrets = {each["metadata"]["name"]: each["stringData"] for each in documents if each["kind"] == "Secret"}
    for pod in System(documents).own:
        [secret] = [volume["secret"] for volume in pod.spec["volumes"]]
        given = {item["path"]: secrets[secret["secretName"]][item["key"]] for item in secret["items"]}
        for name, url in pod.urls().items():
            if name.endswith("DATABASE_URL"):
                file = pod.settings[name.replace("_URL", "_PASSWORD_FILE")]
                assert given[pathlib.Path(file).name] == secrets["postgres"][url.username], f"{pod}: {name}"
            elif url.scheme == "redis":
                assert given["redis-password"] == secrets["redis"]["password"]


def pods():
    return {pod.program if pod.is_service else pod.name: pod for pod in System(load([K8S])).own}


def environment(pod, folder, **replaced):
    """What the manifest tells the program, with each secret's file in `folder`, empty, and some values replaced."""
    settings = pod.settings | replaced
    for name, value in settings.items():
        if name.endswith("_FILE"):
            settings[name] = str(folder / pathlib.Path(value).name)
            (folder / pathlib.Path(value).name).write_text('{"keys": []}' if value.endswith("access.json") else "")
    return settings


def test_the_probes_ask_routes_that_the_programs_have():
    printed = subprocess.run([BIN / "trackops", "routes", "--json"], capture_output=True, text=True, check=True, timeout=60)
    patterns = {(row["service"], row["pattern"]) for row in json.loads(printed.stdout) if row["method"] == "GET"}
    assert {(service, path) for service in ("order", "inventory", "relay") for path in (LIVENESS, READINESS, METRICS)} <= patterns


@pytest.mark.parametrize("name", SERVICES)
def test_the_program_knows_each_of_its_settings(name, tmp_path):
    settings = environment(pods()[name], tmp_path)
    printed = subprocess.run([BIN / name, "--print-config"], env=settings, capture_output=True, text=True, timeout=60, check=False)
    assert printed.returncode == 0, printed.stderr
    sources = dict(re.findall(r"^(\S+) = .*\((\w+)\)$", printed.stdout, re.MULTILINE))
    for variable in settings:
        is_secret = variable.endswith("_FILE") and variable != "TRACKOPS_ACCESS_FILE"
        setting = variable.removeprefix("TRACKOPS_").removesuffix("_FILE" if is_secret else "").lower().replace("_", "-")
        assert sources[setting] == ("file" if is_secret else "environment")


def embedded(pod, folder):
    """The same program on databases, bus and cache in `folder`, and on free ports."""
    database = "inventory" if "inventory" in pod.name else "order"
    replaced = {name: f"sqlite:{folder}/{database}.db" for name in pod.settings if name.endswith("DATABASE_URL")}
    replaced |= {name: f"embedded:{folder}/{name}" for name in ("TRACKOPS_BUS_URL", "TRACKOPS_CACHE_URL") if name in pod.settings}
    replaced |= {name: value for name, value in {"TRACKOPS_PORT": "0", "TRACKOPS_MANAGEMENT_ADDRESS": "0.0.0.0:0", "TRACKOPS_CACHE_URL": "embedded:"}.items()
                 if name in pod.settings}
    return environment(pod, folder, **replaced)


def status_of(port, path, host=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers={"Host": host or f"10.1.2.3:{port}"})
    return connection.getresponse().status


@pytest.fixture
def migrated(tmp_path):
    """A folder with both databases, as the Jobs of the manifests make them."""
    for name, pod in pods().items():
        if pod.kind == "Job":
            done = subprocess.run([BIN / pod.program, *pod.container["args"]], env=embedded(pod, tmp_path), capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 0, f"{name}: {done.stderr}{done.stdout}"
    assert {file.name for file in tmp_path.glob("*.db")} == {"order.db", "inventory.db"}
    return tmp_path


@pytest.mark.parametrize("name", SERVICES)
def test_the_program_serves_what_its_probes_and_its_service_ask(name, migrated):
    pod = pods()[name]
    with subprocess.Popen([BIN / name], env=embedded(pod, migrated), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as program:
        try:
            lines = iter(program.stdout.readline, "")
            ready = next((json.loads(line) for line in lines if line.startswith('{"ready":true')), None)
            assert ready, "the program ended before it was ready"
            [(_, api), (_, management)] = sorted(ready["ports"].items(), key=lambda row: row[0].endswith("-management"))
            deadline = time.monotonic() + 20
            while status_of(management, READINESS) != 200 and time.monotonic() < deadline:
                time.sleep(0.1)
            for probe in ("startup", "liveness", "readiness"):
                assert status_of(management, pod.container[f"{probe}Probe"]["httpGet"]["path"]) == 200
            assert status_of(management, pod.annotations["prometheus.io/path"]) == 200
            for host in pod.settings["TRACKOPS_PUBLIC_HOST"].split(","):
                assert status_of(api, "/openapi.json", host) == 200
            assert status_of(api, "/openapi.json", "other.example") == 421
            assert status_of(api, READINESS) == 404, "the API's port serves the management plane too"
        finally:
            program.send_signal(signal.SIGTERM)
        program.stdout.read()
        assert program.wait(pod.spec["terminationGracePeriodSeconds"]) == 0
