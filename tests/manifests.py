#!/usr/bin/env python3
"""The rules that our Kubernetes manifests keep. `tests/manifests.py FILE|FOLDER|-...` prints every breach and exits 1; `--replicas 1` allows a single replica."""
import argparse
import pathlib
import re
import sys
import urllib.parse

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAMESPACE = "trackops"
IMAGE = re.compile(r"ghcr\.io/trackops/(?P<program>[a-z-]+):(?P<version>\d+\.\d+\.\d+)(@sha256:[0-9a-f]{64})?")
PROGRAM_ENDS_AFTER = int(re.search(r"stop_time = std::chrono::seconds\((\d+)\)", (ROOT / "apps/program.cpp").read_text(encoding="utf-8"))[1])
LIVENESS, READINESS, METRICS = "/actuator/health/liveness", "/actuator/health/readiness", "/actuator/prometheus"
SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
MEBIBYTES = {"Mi": 1, "Gi": 1024}
MEMORY_BESIDE_BUDGET = 128  # MiB: what a program takes while nothing is on its way, generously
DNS = {("kube-system", "k8s-app=kube-dns", "UDP", 53), ("kube-system", "k8s-app=kube-dns", "TCP", 53)}
PORTS = {"postgres": 5432, "kafka": 9092, "redis": 6379}  # by the scheme of a URL, where it names none
SERVERS = {"postgres": "postgresql", "kafka": "kafka", "redis": "redis"}  # by scheme: the label app.kubernetes.io/name of the server's pods
CALLS = {"order-service": ("inventory-service", "event-relay-service")}  # between services


def load(paths):
    """The documents of files and folders as `kubectl apply -f` reads them: a folder's .yaml files by name, without the folders inside."""
    documents = []
    for path in paths:
        files = sorted(pathlib.Path(path).glob("*.yaml")) if path != "-" and pathlib.Path(path).is_dir() else [path]
        for file in files:
            text = sys.stdin.read() if file == "-" else pathlib.Path(file).read_text(encoding="utf-8")
            documents += [document for document in yaml.safe_load_all(text) if document]
    return documents


def seconds(text):
    return float(re.match(r"\d+", text)[0]) * SECONDS[re.search(r"[a-z]+$", text)[0]]


def mebibytes(quantity):
    return int(quantity[:-2]) * MEBIBYTES[quantity[-2:]]


def selects(selector, labels):
    """Whether a label selector, or the plain map of a Service, selects a pod with these labels."""
    known = {"In": lambda its, values: its in values, "Exists": lambda its, values: its is not None}
    if "matchLabels" not in selector and "matchExpressions" not in selector:
        selector = {"matchLabels": selector}
    return (all(labels.get(name) == value for name, value in selector.get("matchLabels", {}).items())
            and all(known[row["operator"]](labels.get(row["key"]), row.get("values", ())) for row in selector.get("matchExpressions", ())))


class Pod:
    """The pod template of a workload, with what its container is told."""

    def __init__(self, workload, configs):
        self.workload, self.kind, self.name = workload, workload["kind"], workload["metadata"]["name"]
        template = workload["spec"]["template"]
        self.labels, self.spec = template["metadata"]["labels"], template["spec"]
        self.annotations = template["metadata"].get("annotations", {})
        self.containers = self.spec["containers"] + self.spec.get("initContainers", [])
        self.container = self.spec["containers"][0]
        image = IMAGE.fullmatch(self.container["image"])
        self.program, self.version = (image["program"], image["version"]) if image else (None, None)
        self.settings = {}
        for source in self.container.get("envFrom", ()):
            self.settings |= configs.get(source.get("configMapRef", {}).get("name"), {})
        self.settings |= {row["name"]: row.get("value") for row in self.container.get("env", ())}

    @property
    def is_service(self):
        return self.kind == "Deployment"

    def ports(self):
        return {port["name"]: port["containerPort"] for port in self.container.get("ports", ())}

    def urls(self):
        return {name: urllib.parse.urlsplit(value) for name, value in self.settings.items() if name.endswith("_URL")}

    def __str__(self):
        return f"{self.kind}/{self.name}"


class System:
    def __init__(self, documents):
        self.documents = documents
        configs = {each["metadata"]["name"]: each["data"] for each in self.of("ConfigMap")}
        self.pods = [Pod(each, configs) for each in documents if each["kind"] in ("Deployment", "StatefulSet", "DaemonSet", "Job")]
        self.services = [pod for pod in self.pods if pod.is_service]
        self.own = [pod for pod in self.pods if pod.program]

    def of(self, kind):
        return [each for each in self.documents if each["kind"] == kind]

    def names(self, kind):
        return {each["metadata"]["name"] for each in self.of(kind)}


# Each rule yields the breaches that it finds in the system.

def objects_stand_in_their_namespace(system):
    seen = set()
    for number, each in enumerate(system.documents):
        kind, meta = each["kind"], each["metadata"]
        if (kind, meta["name"]) in seen:
            yield f"{kind}/{meta['name']} is there twice"
        seen.add((kind, meta["name"]))
        if kind == "Namespace":
            if number:
                yield "the Namespace is not the first document, so an empty cluster refuses those before it"
            if meta["labels"].get("pod-security.kubernetes.io/enforce") != "restricted":
                yield "the Namespace does not enforce the restricted pod security"
        elif meta.get("namespace") != NAMESPACE:
            yield f"{kind}/{meta['name']} is not in the namespace {NAMESPACE}"
        if meta.get("labels", {}).get("app.kubernetes.io/part-of") != "trackops":
            yield f"{kind}/{meta['name']} lacks the label app.kubernetes.io/part-of"


def labels_name_the_program(system):
    for pod in system.services:
        for labels in (pod.workload["metadata"]["labels"], pod.labels):
            wanted = {"app": pod.name, "app.kubernetes.io/name": pod.name, "app.kubernetes.io/version": pod.version}
            for name, value in wanted.items():
                if labels.get(name) != value:
                    yield f"{pod}: the label {name} is {labels.get(name)}, not {value}"


def pods_have_no_rights(system):
    for pod in system.pods:
        its = pod.spec.get("securityContext", {})
        if not its.get("runAsNonRoot") or not its.get("runAsUser") or not its.get("runAsGroup"):
            yield f"{pod} may run as root"
        if pod.program and its.get("runAsUser") != 65532:
            yield f"{pod} runs as another user than its image's, 65532"
        if its.get("seccompProfile") != {"type": "RuntimeDefault"}:
            yield f"{pod} has no seccomp profile"
        if pod.spec.get("hostNetwork") or pod.spec.get("hostPID") or pod.spec.get("hostIPC"):
            yield f"{pod} shares a namespace with its node"
        if any("hostPath" in volume for volume in pod.spec.get("volumes", ())):
            yield f"{pod} mounts a folder of its node"
        for container in pod.containers:
            its = container.get("securityContext", {})
            if its.get("allowPrivilegeEscalation") is not False or its.get("privileged"):
                yield f"{pod}: {container['name']} may gain privileges"
            if its.get("readOnlyRootFilesystem") is not True:
                yield f"{pod}: {container['name']} may write to its root file system"
            if its.get("capabilities") != {"drop": ["ALL"]}:
                yield f"{pod}: {container['name']} keeps capabilities"


def pods_hold_no_token(system):
    accounts = {each["metadata"]["name"]: each for each in system.of("ServiceAccount")}
    for pod in system.pods:
        account = accounts.get(pod.spec.get("serviceAccountName"))
        if not account:
            yield f"{pod} has no ServiceAccount of these documents"
        elif account.get("automountServiceAccountToken") is not False:
            yield f"ServiceAccount/{account['metadata']['name']} gives a token"
        if pod.spec.get("automountServiceAccountToken") is not False:
            yield f"{pod} mounts a token"
        if pod.spec.get("enableServiceLinks") is not False:
            yield f"{pod} gets variables for each Service, which look like settings"


def secrets_are_files(system):
    for pod in system.own:
        for container in pod.containers:
            if any("secretRef" in row for row in container.get("envFrom", ())) or any("valueFrom" in row for row in container.get("env", ())):
                yield f"{pod} has a secret in its environment"
        mounts = {mount["name"]: mount for mount in pod.container.get("volumeMounts", ())}
        files = {f"{mounts[volume['name']]['mountPath']}/{item['path']}" for volume in pod.spec.get("volumes", ())
                 if "secret" in volume and volume["name"] in mounts for item in volume["secret"]["items"]}
        for name, value in pod.settings.items():
            if name.endswith("_FILE") and value not in files:
                yield f"{pod}: {name} names {value}, which no Secret is mounted at"
        for name, url in pod.urls().items():
            if url.password is not None:
                yield f"{pod}: {name} holds a password"
            password = name.replace("CACHE_URL", "REDIS_URL").replace("_URL", "_PASSWORD_FILE")
            if url.scheme != "kafka" and password not in pod.settings:
                yield f"{pod}: {name} has no {password}"


def probes_ask_the_management_port(system):
    for pod in system.services:
        probes = {name: pod.container.get(f"{name}Probe", {}) for name in ("startup", "liveness", "readiness")}
        for name, path in (("startup", LIVENESS), ("liveness", LIVENESS), ("readiness", READINESS)):
            if probes[name].get("httpGet") != {"path": path, "port": "management"}:
                yield f"{pod}: the {name} probe does not ask {path} of the management port"
        if probes["startup"].get("periodSeconds", 10) * probes["startup"].get("failureThreshold", 3) <= seconds(pod.settings["TRACKOPS_START_PATIENCE"]):
            yield f"{pod}: the startup probe gives up before the program does"
        wanted = {"prometheus.io/scrape": "true", "prometheus.io/path": METRICS, "prometheus.io/port": str(pod.ports().get("management"))}
        if not wanted.items() <= pod.annotations.items():
            yield f"{pod}: Prometheus is not told where the metrics are"


def an_end_has_the_time_it_needs(system):
    for pod in system.services:
        pause = pod.container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        if pause < 5:
            yield f"{pod} stops before others know that it goes: preStop has to sleep"
        needed = pause + seconds(pod.settings["TRACKOPS_DRAIN"]) + PROGRAM_ENDS_AFTER
        if pod.spec.get("terminationGracePeriodSeconds", 30) <= needed:
            yield f"{pod} is killed before it has drained: terminationGracePeriodSeconds has to be more than {needed:.0f}"


def resources_are_bounded(system):
    for pod in system.pods:
        for container in pod.containers:
            for bound in ("requests", "limits"):
                its = container.get("resources", {}).get(bound, {})
                for resource in ("cpu", "memory", "ephemeral-storage"):
                    if resource not in its:
                        yield f"{pod}: {container['name']} has no {bound} of {resource}"
        limit = pod.container.get("resources", {}).get("limits", {}).get("memory")
        if pod.is_service and limit and mebibytes(limit) < int(pod.settings["TRACKOPS_MEMORY_BUDGET"]) + MEMORY_BESIDE_BUDGET:
            yield f"{pod}: the memory limit leaves no room beside TRACKOPS_MEMORY_BUDGET"


def selectors_find_their_pods(system):
    for pod in system.pods:
        selector = pod.workload["spec"].get("selector")
        if selector and not selects(selector, pod.labels):
            yield f"{pod} does not select its own pods"
        for other in system.pods:
            if selector and other is not pod and selects(selector, other.labels):
                yield f"{pod} selects the pods of {other}"
    for service in system.of("Service"):
        name, spec = service["metadata"]["name"], service["spec"]
        found = [pod for pod in system.pods if selects(spec["selector"], pod.labels)]
        if [pod.name for pod in found] != [name]:
            yield f"Service/{name} selects {[str(pod) for pod in found]}"
            continue
        for port in spec["ports"]:
            if found[0].ports().get(port["targetPort"]) != port["port"]:
                yield f"Service/{name}: its port {port['port']} leads to the port {port['targetPort']} of no container"
    for pod in system.services:
        if pod.name not in system.names("Service"):
            yield f"{pod} has no Service"
        listens = {"http": int(pod.settings["TRACKOPS_PORT"]), "management": int(pod.settings["TRACKOPS_MANAGEMENT_ADDRESS"].rpartition(":")[2])}
        if pod.ports() != listens:
            yield f"{pod}: the container's ports are {pod.ports()}, the program listens on {listens}"
        hosts = pod.settings["TRACKOPS_PUBLIC_HOST"].split(",")
        if not {pod.name, f"{pod.name}.{NAMESPACE}", f"{pod.name}.{NAMESPACE}.svc"} <= set(hosts):
            yield f"{pod} answers 421 to callers that use the name of its Service"


def disruptions_are_budgeted(system):
    for pod in system.services:
        budgets = [each["spec"] for each in system.of("PodDisruptionBudget") if selects(each["spec"]["selector"], pod.labels)]
        if len(budgets) != 1 or budgets[0].get("maxUnavailable") != 1:
            yield f"{pod} has no PodDisruptionBudget that lets one pod go at a time"
        strategy = pod.workload["spec"].get("strategy", {})
        if strategy != {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}:
            yield f"{pod} has fewer replicas while it is rolled"


def replicas_are_spread(system):
    for pod in system.services:
        rows = pod.spec.get("affinity", {}).get("podAntiAffinity", {}).get("preferredDuringSchedulingIgnoredDuringExecution", [])
        terms = [row["podAffinityTerm"] for row in rows]
        if not any(term["topologyKey"] == "kubernetes.io/hostname" and selects(term["labelSelector"], pod.labels) for term in terms):
            yield f"{pod} may have all replicas on one node"
        spread = pod.spec.get("topologySpreadConstraints", [])
        if not any(row["topologyKey"] == "topology.kubernetes.io/zone" and selects(row["labelSelector"], pod.labels) for row in spread):
            yield f"{pod} may have all replicas in one zone"


def replicas_are_enough(system, replicas_min):
    scalers = {each["spec"]["scaleTargetRef"]["name"]: each for each in system.of("HorizontalPodAutoscaler")}
    for pod in system.services:
        scaler, replicas = scalers.pop(pod.name, None), pod.workload["spec"].get("replicas")
        if pod.program == "event-relay-service":
            if scaler or replicas not in range(replicas_min, 3):
                yield f"{pod} has {replicas} replicas or an autoscaler; one works and one stands by"
            continue
        if not scaler:
            yield f"{pod} has no HorizontalPodAutoscaler"
            continue
        if replicas is not None:
            yield f"{pod} has a number of replicas beside its HorizontalPodAutoscaler"
        if scaler["apiVersion"] != "autoscaling/v2" or scaler["spec"]["minReplicas"] < replicas_min:
            yield f"HorizontalPodAutoscaler/{pod.name} allows too few replicas"
        if scaler["spec"]["maxReplicas"] > int(pod.settings["TRACKOPS_TOPIC_PARTITIONS"]):
            yield f"HorizontalPodAutoscaler/{pod.name} allows more replicas than there are partitions"
    for name in scalers:
        yield f"HorizontalPodAutoscaler/{name} scales nothing that is here"


def peers_of(rules, side):
    """{(namespace, label, protocol, port)} of the ingress or egress rules of a NetworkPolicy."""
    found = set()
    for rule in rules:
        for peer in rule.get(side, [None]):
            for port in rule.get("ports", [None]):
                if peer is None or port is None:
                    found.add(("anywhere",))
                    continue
                names = {kind: ",".join(f"{name.removeprefix('kubernetes.io/metadata.')}={value}" for name, value in selector.get("matchLabels", selector).items())
                         for kind, selector in peer.items()}
                namespace = names.get("namespaceSelector", f"name={NAMESPACE}").removeprefix("name=")
                found.add((namespace, names.get("podSelector", "any pod"), port["protocol"], port["port"]))
    return found


def allowed_calls(pod, system):
    """The only peers that a pod of ours needs: its servers by its URLs, DNS, and the services that it calls."""
    wanted = set(DNS)
    for url in pod.urls().values():
        namespace = (url.hostname.split(".") + [NAMESPACE])[1]
        wanted.add((namespace, f"app.kubernetes.io/name={SERVERS[url.scheme]}", "TCP", url.port or PORTS[url.scheme]))
    for callee in CALLS.get(pod.program, ()):
        wanted |= {(NAMESPACE, f"app={other.name}", "TCP", other.ports()["http"]) for other in system.services if other.program == callee}
    return wanted


def network_is_closed(system):
    policies = {each["metadata"]["name"]: each["spec"] for each in system.of("NetworkPolicy")}
    for name, spec in policies.items():
        if spec.get("policyTypes") != ["Ingress", "Egress"]:
            yield f"NetworkPolicy/{name} leaves a direction open"
    if system.of("Namespace") and policies.get("default-deny") != {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}:
        yield "no NetworkPolicy denies by default"
    for pod in system.pods:
        its = [spec for spec in policies.values() if spec["podSelector"] and selects(spec["podSelector"], pod.labels)]
        if len(its) != 1:
            yield f"{pod} has {len(its)} NetworkPolicies of its own"
            continue
        calls, callers = peers_of(its[0].get("egress", []), "to"), peers_of(its[0].get("ingress", []), "from")
        if ("anywhere",) in callers:
            yield f"{pod} may be called by everybody"
        if pod.program and len(system.services) > 1:
            wanted = allowed_calls(pod, system)
            yield from (f"{pod} may not call {call}" for call in sorted(wanted - calls, key=str))
            yield from (f"{pod} may call {call}" for call in sorted(calls - wanted, key=str))
        if pod.is_service:
            scrapers = {caller for caller in callers if caller[-1] == "management"}
            if scrapers != {("monitoring", "app.kubernetes.io/name=prometheus", "TCP", "management")}:
                yield f"{pod}: the management port is open to {sorted(scrapers)}"
            if {caller[-1] for caller in callers} != {"http", "management"}:
                yield f"{pod}: other ports are open, or the API is closed"


def images_are_of_one_version(system):
    versions = {pod.version for pod in system.own}
    if len(versions) != 1:
        yield f"the images are of the versions {sorted(map(str, versions))}"
    for pod in system.pods:
        if not re.search(r":[\w.]+(@sha256:[0-9a-f]{64})?$", pod.container["image"]) or ":latest" in pod.container["image"]:
            yield f"{pod}: the image has no version"
        if pod.is_service and pod.program != pod.name:
            yield f"{pod} runs the image {pod.container['image']}"
        if pod.kind == "Job" and not pod.name.endswith("-" + str(pod.version).replace(".", "-")):
            yield f"{pod}: a Job never changes, so its name has to end with its version"
        if pod.kind == "Job" and (pod.program, pod.container.get("args")) != ("trackops", ["migrate"]):
            yield f"{pod} runs something else than `trackops migrate`"


RULES = (objects_stand_in_their_namespace, labels_name_the_program, pods_have_no_rights, pods_hold_no_token, secrets_are_files,
         probes_ask_the_management_port, an_end_has_the_time_it_needs, resources_are_bounded, selectors_find_their_pods, disruptions_are_budgeted,
         replicas_are_spread, network_is_closed, images_are_of_one_version)


def breaches(documents, replicas_min=2):
    system = System(documents)
    found = [breach for rule in RULES for breach in rule(system)]
    return found + list(replicas_are_enough(system, replicas_min))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--replicas", type=int, default=2, help="the fewest replicas that a service may have")
    asked = parser.parse_args()
    documents = load(asked.paths)
    found = breaches(documents, asked.replicas)
    print("\n".join(found) or f"manifests: {len(documents)} documents keep every rule")
    return 1 if found or not documents else 0


if __name__ == "__main__":
    sys.exit(main())
