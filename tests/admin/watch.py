#!/usr/bin/python3
"""A real Spring Boot Admin watches the three services: watch.py ADMIN_JAR FOLDER. Writes a screenshot of each page to the folder."""
import http.server
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/e2e"), str(ROOT / "tests")]

from cluster import KINDS, Cluster, Servers, shop  # noqa: E402
from harness import NO_ANSWER, Client, wait_until  # noqa: E402

START_TIMEOUT = 400  # seconds; a JVM that has the machine to itself takes 10, one on a very busy machine took 210
WATCH_TIMEOUT = 90  # Spring Boot Admin asks every four seconds, see below; its own time limit is a second less
PAGE_TIME = 20  # seconds that a page may take to fill
WIDTH, HEIGHT = 1400, 2000  # pixels
SPRING = "application/vnd.spring-boot.actuator.v3+json"
PROCESS_METRICS = ("process.uptime", "process.cpu.usage", "system.cpu.usage", "system.cpu.count")


class Admin:
    """A running Spring Boot Admin server."""

    def __init__(self, jar, folder):
        self.log = folder / "admin.log"
        options = ["--server.port=0", "--server.address=127.0.0.1", "--spring.boot.admin.monitor.status-interval=4s",
                   "--spring.boot.admin.monitor.info-interval=4s", "--spring.boot.admin.monitor.default-timeout=3s"]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(["java", "-Xmx256m", "-jar", jar, *options], stdout=log, stderr=subprocess.STDOUT)

    def wait_ready(self):
        def started():
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            return re.search(r"Tomcat started on port (\d+)", self.log.read_text())
        self.port = int(wait_until(started, START_TIMEOUT, "Spring Boot Admin being ready")[1])
        wait_until(self.answers, START_TIMEOUT, "Spring Boot Admin answering")

    def answers(self):
        try:
            return self.client().get("/instances", {"Accept": "application/json"}).status == 200
        except NO_ANSWER:
            return False

    def client(self):
        return Client(self.port)

    def register(self, kind, process):
        base = f"http://127.0.0.1:{process.port}"
        body = {"name": KINDS[kind], "managementUrl": base + "/actuator", "healthUrl": base + "/actuator/health", "serviceUrl": base}
        return self.client().post("/instances", body).expect(201)["id"]

    def instance(self, its):
        return self.client().get(f"/instances/{its}", {"Accept": "application/json"}).expect(200)

    def becomes(self, its, status):
        wait_until(lambda: self.instance(its)["statusInfo"]["status"] == status, WATCH_TIMEOUT, f"{its} being {status}")
        return self.instance(its)["statusInfo"]["details"]

    def ask(self, its, path):
        """What an instance answers, through Spring Boot Admin."""
        return self.client().get(f"/instances/{its}/actuator/{path}", {"Accept": f"{SPRING}, application/json"})

    def end(self):
        self.process.terminate()
        self.process.wait(60)


def check_details(admin, its, kind, process):
    wait_until(lambda: {"health", "info", "metrics", "loggers", "env"} <= {one["id"] for one in admin.instance(its)["endpoints"]},
               WATCH_TIMEOUT, "Spring Boot Admin knowing the endpoints")
    info = wait_until(lambda: admin.instance(its)["info"], WATCH_TIMEOUT, "Spring Boot Admin knowing the info")
    own = process.client().get("/actuator/info").json()
    assert info["build"]["name"] == KINDS[kind] and info["build"]["version"] == own["build"]["version"], info
    assert admin.instance(its)["buildVersion"] == own["build"]["version"]
    assert {"librdkafka", "libpq", "sqlite"} <= info["build"]["libraries"].keys()
    names = admin.ask(its, "metrics").expect(200)["names"]
    assert {"http.server.requests", *PROCESS_METRICS} <= set(names)
    for name in PROCESS_METRICS:
        assert admin.ask(its, f"metrics/{name}").expect(200)["measurements"][0]["value"] >= 0
    one = admin.ask(its, "metrics/http.server.requests?tag=uri:/actuator/health&tag=method:GET").expect(200)
    assert one["measurements"][0]["value"] > 0 and {tag["tag"] for tag in one["availableTags"]} >= {"status", "outcome"}
    settings = admin.ask(its, "env").expect(200)["propertySources"]
    given = {name for source in settings if source["name"] == "environment" for name in source["properties"]}
    assert {"database-url", "bus-url"} <= given, settings
    assert admin.ask(its, "env/PID").expect(200)["property"]["value"] == str(process.process.pid)


def check_loggers(admin, its, process):
    assert admin.ask(its, "loggers").expect(200)["loggers"]["ROOT"]["effectiveLevel"] == "INFO"
    for name, level in (("ROOT", "ERROR"), ("relay", "DEBUG"), ("ROOT", "INFO")):
        answer = admin.client().post(f"/instances/{its}/actuator/loggers/{name}", {"configuredLevel": level})
        assert answer.status in (200, 204), (answer.status, answer.body)
        assert process.client().get(f"/actuator/loggers/{name}").expect(200) == {"configuredLevel": level, "effectiveLevel": level}
    admin.client().post(f"/instances/{its}/actuator/loggers/relay", {"configuredLevel": None})
    assert "relay" not in process.client().get("/actuator/loggers").expect(200)["loggers"] or \
        "configuredLevel" not in process.client().get("/actuator/loggers/relay").expect(200)


class Frame(http.server.ThreadingHTTPServer):
    """A page that shows another one and is loaded only after PAGE_TIME: a headless browser takes its picture when a page is loaded, and the
    pages of Spring Boot Admin fill afterwards, from a stream of events that never ends."""

    def __init__(self, url):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path == "/late":
                    time.sleep(PAGE_TIME)
                body = b"" if self.path != "/" else (f'<body style="margin:0"><iframe src="{url}" style="border:0;width:{WIDTH}px;height:{HEIGHT}px">'
                                                     '</iframe><img src="/late">').encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


def screenshot(admin, folder, name, path):
    file = folder / f"{name}.png"
    file.unlink(missing_ok=True)
    with Frame(f"http://127.0.0.1:{admin.port}{path}") as frame:
        subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={file}",
                        f"http://127.0.0.1:{frame.server_port}/"], capture_output=True, timeout=180, check=True)
        frame.shutdown()
    assert file.stat().st_size > 10_000
    print(f"looked at {path}: {file}")


def main(jar, folder):
    folder = pathlib.Path(folder).resolve()
    servers = Servers(pathlib.Path(tempfile.mkdtemp(prefix="trackops-servers-"))).up()
    admin = Admin(jar, folder)
    cluster = Cluster(servers, folder)
    try:
        processes = dict(zip(KINDS, cluster.start(*KINDS)))
        its = shop(processes.values())
        its.place_confirmed((its.new_sku(10), 1))
        admin.wait_ready()
        known = {kind: admin.register(kind, process) for kind, process in processes.items()}
        for kind, one in known.items():
            details = admin.becomes(one, "UP")
            assert details["db"]["status"] == details["bus"]["status"] == "UP", details
            assert details["db"]["details"]["database"], details
            check_details(admin, one, kind, processes[kind])
            check_loggers(admin, one, processes[kind])
            print(f"{KINDS[kind]}: UP, with {', '.join(sorted(details))}")
        screenshot(admin, folder, "details", f"/instances/{known['order']}/details")
        screenshot(admin, folder, "loggers", f"/instances/{known['order']}/loggers")
        servers.run("kill", "redis")
        details = admin.becomes(known["order"], "DOWN")
        assert details["cache"]["status"] == "DOWN" and details["db"]["status"] == "UP", details
        assert admin.instance(known["inventory"])["statusInfo"]["status"] == "UP"
        print(f"without Redis order-service is DOWN: {details['cache']}")
        screenshot(admin, folder, "down", f"/instances/{known['order']}/details")
        servers.run("up", "redis")
        admin.becomes(known["order"], "UP")
        processes["relay"].stop()
        admin.becomes(known["relay"], "OFFLINE")
        print("event-relay-service ended: OFFLINE")
    finally:
        admin.end()
        cluster.end()
        servers.run("wipe")
    print("admin: passed")


if __name__ == "__main__":
    main(*sys.argv[1:])
