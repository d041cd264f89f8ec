#!/usr/bin/env python3
"""Deploys k8s/ and its overlays to a real control plane, moves and rolls what runs there, and takes it away again. Prints the seconds of each part."""
import contextlib
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from cluster import Cluster, Refused, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
K8S = ROOT / "k8s"
NAMESPACE = "--namespace=trackops"
SERVICES = ("order-service", "inventory-service", "event-relay-service")
TIMEOUT = 180  # s, for what takes seconds on an idle machine


def refused(call, *words):
    """Checks that Kubernetes refuses a call, in these words."""
    try:
        call()
    except Refused as refusal:
        assert all(word in str(refusal) for word in words), f"refused, but for another reason: {refusal}"
        return
    raise AssertionError(f"not refused: {' '.join(words)}")


class Drill:
    def __init__(self, cluster):
        self.cluster, self.kubectl = cluster, cluster.kubectl

    def pods(self, app):
        """The pods of a program that are not about to go."""
        return [pod for pod in self.cluster.get("pods", NAMESPACE, "-l", f"app={app}") if "deletionTimestamp" not in pod["metadata"]]

    def is_ready(self, pod):
        return any(row["type"] == "Ready" and row["status"] == "True" for row in pod["status"].get("conditions", ()))

    def settle(self, replicas):
        """Waits until each Job is complete and each workload has its pods; `replicas` counts those of a service."""
        for kind in ("deployment", "statefulset"):
            for workload in self.cluster.get(kind, NAMESPACE):
                self.kubectl("rollout", "status", f"{kind}/{workload['metadata']['name']}", NAMESPACE, f"--timeout={TIMEOUT}s")
        jobs = self.cluster.get("jobs", NAMESPACE)
        if jobs:
            self.kubectl("wait", "--for=condition=Complete", "job", "--all", NAMESPACE, f"--timeout={TIMEOUT}s")
        for workload in self.cluster.get("deployment", NAMESPACE):
            name = workload["metadata"]["name"]
            wanted = workload["spec"]["replicas"] if name == "event-relay-service" else replicas
            wait_until(lambda: [self.is_ready(pod) for pod in self.pods(name)] == [True] * wanted, TIMEOUT, f"{wanted} pods of {name}")

    def delete(self, *arguments):
        # With the namespace goes what is in it, so some of the rest is not found any more.
        self.kubectl("delete", *arguments, "--ignore-not-found", "--wait=true", f"--timeout={TIMEOUT}s")
        with contextlib.suppress(Refused):
            self.kubectl("wait", "--for=delete", "namespace/trackops", f"--timeout={TIMEOUT}s")
        refused(lambda: self.cluster.get("namespace", "trackops"), "not found")

    # The parts, in their order.

    def the_folder_deploys_to_an_empty_cluster(self):
        said = self.kubectl("apply", "--validate=strict", "-f", K8S)
        assert set(re.findall(r" (\w+)$", said, re.MULTILINE)) == {"created"}, said
        self.settle(2)
        for app in SERVICES:
            nodes = {pod["spec"]["nodeName"] for pod in self.pods(app)}
            assert len(nodes) == 2, f"both replicas of {app} are on {nodes}"

    def states(self):
        """What changes of an object when its specification does: its generation, or its version where it has no status."""
        kinds = "deployment,job,pdb,networkpolicy,configmap,service,serviceaccount"
        return {(each["kind"], each["metadata"]["name"]): each["metadata"].get("generation", each["metadata"]["resourceVersion"])
                for each in self.cluster.get(kinds, NAMESPACE)}

    def to_apply_again_changes_nothing(self):
        before = self.states()
        said = self.kubectl("apply", "-f", K8S)
        # kubectl sends the selector of a PodDisruptionBudget each time, and calls that "configured".
        assert {line for line in said.splitlines() if not line.endswith(" unchanged")} <= {
            f"poddisruptionbudget.policy/{app} configured" for app in SERVICES}, said
        assert self.states() == before

    def a_pod_with_rights_is_refused(self):
        refused(lambda: self.kubectl("run", "shell", NAMESPACE, "--image=debian:12"), "violates PodSecurity", "restricted")

    def a_drain_waits_for_the_budget(self):
        for app in SERVICES:
            first, second = (pod["spec"]["nodeName"] for pod in self.pods(app))
            [free] = [node for node in self.cluster.nodes if node not in (first, second)]
            drain = ("drain", f"--pod-selector=app={app}", "--ignore-daemonsets")
            self.kubectl("cordon", *self.cluster.nodes)  # nowhere to go
            self.kubectl(*drain, first, f"--timeout={TIMEOUT}s")
            refused(lambda: self.kubectl(*drain, second, "--timeout=7s"), "violate the pod's disruption budget")
            assert [pod["spec"]["nodeName"] for pod in self.pods(app) if self.is_ready(pod)] == [second]
            self.kubectl("uncordon", free)
            self.kubectl(*drain, second, f"--timeout={TIMEOUT}s")
            self.kubectl("uncordon", *self.cluster.nodes)
            self.settle(2)

    def rolled(self, app, change):
        """Makes a change and returns the numbers of available replicas that Kubernetes reported meanwhile."""
        seen = ["get", f"deployment/{app}", NAMESPACE, "--watch", "-o", r"jsonpath={.status.availableReplicas}{'\n'}"]
        before = {pod["metadata"]["name"] for pod in self.pods(app)}
        with subprocess.Popen(self.cluster.command(*seen), stdout=subprocess.PIPE, text=True) as watch:
            first = watch.stdout.readline()  # it watches from here on
            change()
            self.settle(2)
            watch.terminate()
            reported = [int(line) if line.strip() else 0 for line in [first, *watch.stdout]]
        assert not before & {pod["metadata"]["name"] for pod in self.pods(app)}, f"{app} kept a pod"
        assert len(reported) > 2, reported
        return reported

    def a_restart_leaves_no_gap(self):
        for app in SERVICES:
            reported = self.rolled(app, lambda: self.kubectl("rollout", "restart", f"deployment/{app}", NAMESPACE))
            assert min(reported) >= 2, f"{app} had {reported} replicas while it was rolled"

    def the_next_version_is_applied(self):
        with tempfile.TemporaryDirectory() as folder:
            for file in K8S.glob("*.yaml"):
                (pathlib.Path(folder) / file.name).write_text(file.read_text().replace("0.2.0", "0.3.0").replace("0-2-0", "0-3-0"))
            reported = self.rolled("order-service", lambda: self.kubectl("apply", "-f", folder))
            assert min(reported) >= 2, f"order-service had {reported} replicas while it was upgraded"
            assert {job["metadata"]["name"] for job in self.cluster.get("jobs", NAMESPACE)} >= {"order-migrate-0-2-0", "order-migrate-0-3-0"}
            # The name of a Job has the version because of this.
            job = (pathlib.Path(folder) / "order-service.yaml").read_text().replace("0.3.0", "0.4.0")
            refused(lambda: self.kubectl("apply", "-f", "-", text=job), "field is immutable")

    def the_folder_is_taken_away(self):
        self.delete("-f", K8S)

    def each_service_deploys_alone(self):
        for app in SERVICES:
            files = ("-f", K8S / "00-namespace.yaml", "-f", K8S / f"{app}.yaml")
            self.kubectl("apply", "--validate=strict", *files)
            self.settle(2)
            assert [each["metadata"]["name"] for each in self.cluster.get("deployment", NAMESPACE)] == [app]
            self.delete(*files)

    def volumes(self):
        """What a cluster's storage class would make: a volume for each claim of k8s/dev."""
        self.cluster.apply([{"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
                             "spec": {"capacity": {"storage": "2Gi"}, "accessModes": ["ReadWriteOnce"], "persistentVolumeReclaimPolicy": "Retain",
                                      "hostPath": {"path": f"/none/{name}"}}} for name in ("postgres", "kafka")])

    def the_folders_for_a_try_deploy_together(self):
        self.volumes()
        self.kubectl("apply", "--validate=strict", "-f", K8S, "-f", K8S / "dev")
        self.settle(2)
        assert {each["status"]["phase"] for each in self.cluster.get("pvc", NAMESPACE)} == {"Bound"}
        self.delete("-f", K8S)
        self.kubectl("delete", "pv", "--all")

    def the_overlay_dev_deploys(self):
        self.volumes()
        self.kubectl("apply", "--validate=strict", "-k", ROOT / "deploy/kubernetes/dev")
        self.settle(1)
        assert len(self.pods("event-relay-service")) == 1
        self.delete("-k", ROOT / "deploy/kubernetes/dev")
        self.kubectl("delete", "pv", "--all")

    def the_overlay_prod_deploys(self):
        self.kubectl("apply", "--validate=strict", "-k", ROOT / "deploy/kubernetes/prod")
        self.settle(3)
        for app in ("order-service", "inventory-service"):
            nodes = {pod["spec"]["nodeName"] for pod in self.pods(app)}
            assert len(nodes) == 3, f"the three replicas of {app} are on {nodes}, each node in a zone of its own"
        self.delete("-k", ROOT / "deploy/kubernetes/prod")


PARTS = (Drill.the_folder_deploys_to_an_empty_cluster, Drill.to_apply_again_changes_nothing, Drill.a_pod_with_rights_is_refused,
         Drill.a_drain_waits_for_the_budget, Drill.a_restart_leaves_no_gap, Drill.the_next_version_is_applied, Drill.the_folder_is_taken_away,
         Drill.each_service_deploys_alone, Drill.the_folders_for_a_try_deploy_together, Drill.the_overlay_dev_deploys, Drill.the_overlay_prod_deploys)


def main():
    began = time.monotonic()
    with Cluster() as cluster:
        print(f"{time.monotonic() - began:6.1f} s  a control plane and {len(cluster.nodes)} nodes", flush=True)
        drill = Drill(cluster)
        for part in PARTS:
            started = time.monotonic()
            try:
                part(drill)
            except BaseException:
                print(cluster.log_tail(), file=sys.stderr)
                with contextlib.suppress(Refused):
                    print(cluster.kubectl("get", "all,events", "--all-namespaces"), file=sys.stderr)
                raise
            print(f"{time.monotonic() - started:6.1f} s  {part.__name__.replace('_', ' ')}", flush=True)
    print(f"{time.monotonic() - began:6.1f} s  in all")


if __name__ == "__main__":
    sys.exit(main())
