"""A TCP proxy before PostgreSQL that now and then cuts a connection when the answer to a COMMIT comes by: committed, and never told."""
import contextlib
import random
import socket
import threading

ANSWER = b"COMMIT\x00"  # the tag of CommandComplete


class Cutter:
    def __init__(self, host, port, seed, chance):
        self.server, self.chance, self.luck = (host, port), chance, random.Random(seed)
        self.cuts = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                try:
                    server = socket.create_connection(self.server)
                except OSError:
                    client.close()
                    continue
                for one, other, may_cut in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self.forward, args=(one, other, may_cut), daemon=True).start()

    def forward(self, source, target, may_cut):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if may_cut and ANSWER in data and self.luck.random() < self.chance:
                    self.cuts += 1
                    break
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        source.close()

    def close(self):
        self.listener.close()
