"""A Kubernetes cluster of real programs: etcd, kube-apiserver, kube-controller-manager and kube-scheduler, with nodes by kwok, whose pods run nothing."""
import contextlib
import json
import os
import pathlib
import secrets
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.request

RELEASE = "1.34.4"  # of tests/kubernetes/build
PROGRAMS = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / f"trackops/kubernetes-{RELEASE}"
START_TIMEOUT = 120  # s


def free_ports(number):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def wait_until(holds, timeout, what):
    deadline = time.monotonic() + timeout
    while not (found := holds()):
        assert time.monotonic() < deadline, f"{what}: not within {timeout} s"
        time.sleep(0.2)
    return found


class Refused(Exception):
    """The answer of a kubectl that failed."""


class Cluster:
    """Nodes n1, n2, ... in the zones z1, z2, ...; use it in a `with`."""

    def __init__(self, nodes=3):
        self.nodes = [f"n{number + 1}" for number in range(nodes)]
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="trackops-kubernetes-"))
        self.processes = []

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):  # etcd last
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _spawn(self, name, *arguments):
        with open(self.folder / f"{name}.log", "wb") as log:
            self.processes.append(subprocess.Popen([PROGRAMS / "bin" / name, *arguments], cwd=self.folder, stdout=log, stderr=subprocess.STDOUT))

    def log_tail(self):
        return "\n".join(f"--- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-15:]) for log in sorted(self.folder.glob("*.log")))

    def _start(self):
        etcd, peer, api, kwok = free_ports(4)
        token = secrets.token_hex(16)
        (self.folder / "tokens.csv").write_text(f"{token},admin,admin,system:masters\n")
        (self.folder / "tokens.csv").chmod(0o600)
        subprocess.run(["openssl", "genrsa", "-out", self.folder / "accounts.key", "2048"], check=True, capture_output=True)
        (self.folder / "kubeconfig").write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "it",
            "clusters": [{"name": "it", "cluster": {"server": f"https://127.0.0.1:{api}", "insecure-skip-tls-verify": True}}],
            "users": [{"name": "admin", "user": {"token": token}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "admin"}}]}))
        (self.folder / "kubeconfig").chmod(0o600)
        client, peers = f"http://127.0.0.1:{etcd}", f"http://127.0.0.1:{peer}"
        self._spawn("etcd", "--data-dir", "etcd", "--unsafe-no-fsync", "--listen-client-urls", client, "--advertise-client-urls", client,
                    "--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", f"default={peers}")
        self._spawn("kube-apiserver", "--etcd-servers", client, "--bind-address=127.0.0.1", f"--secure-port={api}", "--cert-dir=certificates",
                    "--service-cluster-ip-range=10.96.0.0/16", "--service-account-issuer=https://kubernetes.default.svc",
                    "--service-account-key-file=accounts.key", "--service-account-signing-key-file=accounts.key", "--token-auth-file=tokens.csv",
                    "--authorization-mode=RBAC")
        context = ssl._create_unverified_context()  # its own certificate, on loopback

        def is_ready():
            assert all(process.poll() is None for process in self.processes), self.log_tail()
            request = urllib.request.Request(f"https://127.0.0.1:{api}/readyz", headers={"Authorization": f"Bearer {token}"})
            with contextlib.suppress(OSError):
                return urllib.request.urlopen(request, context=context, timeout=5).status == 200
            return False
        wait_until(is_ready, START_TIMEOUT, "kube-apiserver")
        common = ("--kubeconfig=kubeconfig", "--leader-elect=false", "--secure-port=0")
        # On a busy machine kwok may be late with the heartbeats of its nodes. A pod of a node that has been lost stays unready for good.
        self._spawn("kube-controller-manager", *common, "--service-account-private-key-file=accounts.key", "--horizontal-pod-autoscaler-sync-period=2s",
                    "--node-monitor-grace-period=10m")
        self._spawn("kube-scheduler", *common)
        self._spawn("kwok", "--kubeconfig=kubeconfig", "--manage-all-nodes=true", "--cidr=10.244.0.0/16", "--node-ip=127.0.0.1",
                    f"--server-address=127.0.0.1:{kwok}", *(f"--config={stage}" for stage in sorted((PROGRAMS / "stages").glob("*.yaml"))))
        room = {"cpu": "8", "memory": "16Gi", "pods": "110", "ephemeral-storage": "32Gi"}
        self.apply([{"apiVersion": "v1", "kind": "Node", "status": {"allocatable": room, "capacity": room},
                     "metadata": {"name": node, "labels": {"kubernetes.io/hostname": node, "topology.kubernetes.io/zone": node.replace("n", "z")}}}
                    for node in self.nodes])
        self.kubectl("wait", "--for=condition=Ready", "node", "--all", f"--timeout={START_TIMEOUT}s")

    def command(self, *arguments):
        return [PROGRAMS / "bin/kubectl", f"--kubeconfig={self.folder / 'kubeconfig'}", *map(str, arguments)]

    def kubectl(self, *arguments, text=None):
        """Returns what kubectl prints. Throws Refused with its words, for a warning too."""
        done = subprocess.run(self.command(*arguments), input=text, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode or "Warning:" in done.stderr:
            raise Refused(f"kubectl {' '.join(map(str, arguments))}: {done.stderr}{done.stdout}")
        return done.stdout

    def apply(self, documents):
        return self.kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": documents}))

    def get(self, *arguments):
        """The items of `kubectl get`, or the one object."""
        found = json.loads(self.kubectl("get", *arguments, "-o", "json"))
        return found.get("items", found)
