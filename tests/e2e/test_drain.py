"""An orderly end and a quick start."""
import threading

from harness import NO_ANSWER, Shop, in_parallel, order_body

CLIENTS = 16
READY_MAX = 1.0  # seconds from start to ready
STARTS_MAX = 20  # a start that shares the processor with other work takes longer; one of these has it for itself


def test_sigterm_answers_what_is_under_way_and_exits_with_0(program, stock_adds_up):
    shop = Shop(program.start())
    sku = shop.new_sku(1_000_000)
    begun, promised, torn = threading.Semaphore(0), [], []

    def buy(_):
        client = program.client()
        while True:
            try:
                answer = client.post("/api/orders", order_body((sku, 1)))
            except ConnectionRefusedError:
                return  # it takes no more
            except NO_ANSWER as failure:
                torn.append(failure)  # a connection that was closed between two requests, or one torn in the middle of an answer
                return
            assert answer.status in (201, 503), answer.body
            if answer.status == 201:
                promised.append(answer.json()["id"])
                begun.release()
            if answer.headers.get("connection") == "close":
                return

    def stop_it():
        for _ in range(200):
            assert begun.acquire(timeout=60)
        return program.stop()

    exit_codes = in_parallel(CLIENTS + 1, lambda number: stop_it() if number == CLIENTS else buy(number))
    assert exit_codes[CLIENTS] == 0, program.log_tail()
    halves = [failure for failure in torn if type(failure).__name__ == "IncompleteRead"]
    assert not halves, f"answers broke off in the middle: {halves}"

    shop = Shop(program.start())
    shop.comes_to_rest()
    found = {order["id"]: order["status"] for order in shop.everything("/api/orders?limit=500")}
    assert set(promised) <= found.keys()
    # An answered request was answered after its commit; a request without an answer may have been committed at the very end.
    assert len(found) - len(set(promised)) <= len(torn)
    assert set(found.values()) == {"CONFIRMED"}
    stock_adds_up(program)


def test_it_is_ready_within_a_second(program):
    times = []
    while len(times) < 3 or (min(times) >= READY_MAX and len(times) < STARTS_MAX):
        times.append(program.start().ready_after)
        assert program.stop() == 0
    print("start to ready: " + ", ".join(f"{seconds:.3f} s" for seconds in times) + " (the first one makes the tables)")
    assert min(times) < READY_MAX


def test_a_second_process_on_the_folder_is_refused(program):
    program.start()
    second = program.spawn()
    assert second.wait(timeout=20) not in (0, -11, -6)
    assert str(program.folder / "data") in program.log_tail()  # it says which folder is taken
    program.starts -= 1
    assert program.client().get("/actuator/health/liveness").status == 200  # and the first one goes on
