"""A real Prometheus, Alertmanager and node exporter of Debian, on ports of their own, with the files of deploy/ in a faster time."""
import json
import pathlib
import socket
import subprocess
import urllib.parse
import urllib.request

import yaml

import promql
from harness import wait_until

FASTER = 15  # one second here is 15 seconds of the rules: scrapes and evaluations come each second instead of each 15
START_TIMEOUT = 60


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as held:
        return held.getsockname()[1]


def answer(url):
    with urllib.request.urlopen(url, timeout=30) as response:
        return json.load(response)


def is_ready(url):
    try:
        return urllib.request.urlopen(url, timeout=5).status == 200
    except OSError:
        return False


class Monitoring:
    """The three servers; `ports` is {job: port} of the programs."""

    def __init__(self, folder, ports):
        self.folder = pathlib.Path(folder)
        self.processes = []
        self.prometheus, self.alertmanager, self.node = (f"127.0.0.1:{free_port()}" for _ in range(3))
        self._write(ports)
        self._start("prometheus-node-exporter", f"--web.listen-address={self.node}")
        # No fixed port for gossip: there is one Alertmanager.
        self._start("prometheus-alertmanager", f"--config.file={self.folder}/alertmanager.yml", f"--storage.path={self.folder}/alertmanager",
                    f"--web.listen-address={self.alertmanager}", "--cluster.listen-address=")
        self._start("prometheus", f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/prometheus",
                    f"--web.listen-address={self.prometheus}")
        for address in (self.prometheus, self.alertmanager):
            wait_until(lambda address=address: is_ready(f"http://{address}/-/ready"), START_TIMEOUT, f"{address} being ready")

    def _write(self, ports):
        (self.folder / "rules.yml").write_text(promql.faster(promql.RULES.read_text(), FASTER))
        settings = yaml.safe_load((promql.ROOT / "deploy/prometheus/prometheus.yml").read_text())
        for interval in ("scrape_interval", "evaluation_interval"):
            assert settings["global"][interval] == f"{FASTER}s"
            settings["global"][interval] = "1s"
        settings["alerting"]["alertmanagers"][0]["static_configs"] = [{"targets": [self.alertmanager]}]
        for job in settings["scrape_configs"]:
            if job["job_name"] == "node":
                job.pop("file_sd_configs")
                job["static_configs"] = [{"targets": [self.node]}]
            else:
                job["static_configs"] = [{"targets": [f"127.0.0.1:{ports[job['job_name']]}"]}]
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
        (self.folder / "alertmanager.yml").write_bytes((promql.ROOT / "deploy/alertmanager/alertmanager.yml").read_bytes())

    def _start(self, *command):
        with open(self.folder / f"{command[0]}.log", "wb") as log:
            self.processes.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder))

    def end(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(30)

    def move(self, ports):
        """The programs answer on other ports from now on."""
        self._write(ports)
        self.processes[-1].send_signal(1)  # SIGHUP: Prometheus reads its files again

    def query(self, expression):
        """[(labels, value)] of now."""
        said = answer(f"http://{self.prometheus}/api/v1/query?query={urllib.parse.quote(expression)}")
        assert said["status"] == "success", said
        result = said["data"]["result"]
        return [({}, float(result[1]))] if said["data"]["resultType"] == "scalar" else [(one["metric"], float(one["value"][1])) for one in result]

    def alerts(self, name=None):
        """Those that Alertmanager has and that have not ended: [{"labels": ..., "status": {"state": ...}}]"""
        chosen = f"?filter={urllib.parse.quote(f'alertname={name}')}" if name else ""
        return answer(f"http://{self.alertmanager}/api/v2/alerts{chosen}")

    def is_active(self, name, **labels):
        """Alertmanager would tell a person of it: it is neither silenced nor inhibited."""
        return any(alert["status"]["state"] == "active" and labels.items() <= alert["labels"].items() for alert in self.alerts(name))
