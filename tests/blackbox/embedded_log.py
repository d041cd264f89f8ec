"""Reads the embedded message log from outside, and writes to it while its program is stopped. This file alone knows how the log lies on disk."""
import pathlib
import sqlite3
import struct

from topics import Event


def read_headers(data):
    """Names and values by turns, each after its length."""
    texts = []
    while data:
        (size,) = struct.unpack_from("<I", data)
        texts.append(data[4:4 + size].decode(errors="replace"))
        data = data[4 + size:]
    return tuple(zip(texts[::2], texts[1::2]))


def written_headers(headers):
    texts = [text.encode() for header in headers for text in header]
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)


class EmbeddedLog:
    """The embedded log with the interface of Topics."""

    def __init__(self, data_folder):
        self.path = pathlib.Path(data_folder) / "bus/bus.db"

    def _open(self, mode):
        return sqlite3.connect(f"file:{self.path}?mode={mode}", uri=True, timeout=10)

    def names(self):
        connection = self._open("ro")
        try:
            return sorted(name for (name,) in connection.execute("SELECT DISTINCT topic FROM partitions"))
        finally:
            connection.close()

    def read(self, names):
        """Every message of these topics, each partition in its order."""
        query = f"""SELECT topic, number, position, key, headers, value FROM messages JOIN partitions ON id = partition_id
                    WHERE topic IN ({','.join('?' * len(names))}) ORDER BY topic, number, position"""
        connection = self._open("ro")
        try:
            return [Event(topic, number, position, bytes(key).decode(errors="replace"), read_headers(bytes(headers)), bytes(value))
                    for topic, number, position, key, headers, value in connection.execute(query, names)]
        finally:
            connection.close()

    def append(self, topic, partition, key, headers, value):
        connection = self._open("rw")
        try:
            with connection:
                connection.execute("""
                    INSERT INTO messages (partition_id, position, taken_at, key, value, headers)
                    SELECT id, (SELECT coalesce(max(position) + 1, 0) FROM messages WHERE partition_id = id),
                           (SELECT coalesce(max(taken_at), 0) FROM messages), ?, ?, ?
                    FROM partitions WHERE topic = ? AND number = ?""",
                                   (key.encode(), value, written_headers(headers), topic, partition))
        finally:
            connection.close()
