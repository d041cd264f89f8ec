"""servers/services as the README has it: up, an order, the check from outside, down, and up again on the same data."""
import pathlib
import re
import socket
import subprocess

from harness import PROGRAM, ROOT, Client, order_body


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def test_services_come_up_go_down_and_keep_what_they_knew(servers):
    servers.up()
    ports = free_ports(3)
    environment = servers.environment | {"TRACKOPS_BIN": str(pathlib.Path(PROGRAM).parent), "TRACKOPS_PORTS": " ".join(map(str, ports))}

    def run(*command):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    services = ROOT / "servers/services"
    try:
        assert [int(port) for port in re.findall(r"http://127\.0\.0\.1:(\d+)", run(services, "up"))] == ports
        orders, stock = Client(ports[0]), Client(ports[1])
        stock.post("/api/inventory/items", {"sku": "S-1", "name": "A thing", "onHand": 5}).expect(201)
        order = orders.post("/api/orders?wait=confirmed", order_body(("S-1", 5))).expect(201)
        assert order["status"] == "CONFIRMED"
        urls = dict(re.findall(r"(\w+)=(\S+)", run(services, "env")))
        said = run(ROOT / "tests/check_system.py", "--order-database", urls["ORDER_DATABASE"], "--inventory-database", urls["INVENTORY_DATABASE"],
                   "--bus", urls["BUS"], "--at-rest-within", "30")
        assert "nothing is lost" in said
        run(services, "down")
        assert len(run(services, "up").splitlines()) == 3
        assert Client(ports[0]).get(f"/api/orders/{order['id']}").expect(200)["status"] == "CONFIRMED"
    finally:
        run(services, "down")
