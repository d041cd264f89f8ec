"""Reads the services' databases from outside, as anybody with the address could: SQLite by file, PostgreSQL through psql."""
import csv
import io
import os
import pathlib
import sqlite3
import subprocess
import urllib.parse
import uuid


class Database:
    """sqlite:FILE or postgres://...; never writes."""

    def __init__(self, url):
        self.url = url
        self.is_postgres = url.startswith("postgres")
        if not self.is_postgres and not url.startswith("sqlite:"):
            raise ValueError(f"{url} is neither sqlite:FILE nor postgres://...")

    def rows(self, query):
        """Each row as a tuple of text and None; one statement, one snapshot."""
        return self._postgres(query) if self.is_postgres else self._sqlite(query)

    def tables(self):
        """Every table of ours, with its schema where there are schemas."""
        if self.is_postgres:
            query = """SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) FROM information_schema.tables
                       WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"""
        else:
            query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1"
        return [name for (name,) in self.rows(query)]

    def counts(self, tables):
        """{table: rows} of all of them in one statement."""
        query = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in tables)
        return {table: int(count) for table, count in self.rows(query)}

    def _sqlite(self, query):
        path = urllib.parse.quote(str(pathlib.Path(self.url.removeprefix("sqlite:")).resolve()))
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        try:
            return [tuple(None if value is None else str(value) for value in row) for row in connection.execute(query)]
        finally:
            connection.close()

    def _postgres(self, query):
        # An unquoted empty field is NULL, a quoted one is empty text; the csv module cannot tell, so NULL has a word of its own.
        copy = f"COPY ({query}) TO STDOUT WITH (FORMAT csv, NULL '\\N')"
        text = psql(self.url, copy)
        return [tuple(None if value == "\\N" else value for value in row) for row in csv.reader(io.StringIO(text))]


def psql(url, command):
    done = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", command], capture_output=True, text=True,
                          timeout=120, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"psql on {url}: {done.stderr.strip()}")
    return done.stdout


class FreshPostgres:
    """Databases made on the server that TRACKOPS_TEST_POSTGRES names. Without that server a test fails; it never skips."""

    def __init__(self):
        self.server = os.environ.get("TRACKOPS_TEST_POSTGRES", "")
        if not self.server:
            raise RuntimeError("TRACKOPS_TEST_POSTGRES names no PostgreSQL server (postgres://user@host:port/postgres)")
        self.names = []

    def make(self, purpose):
        name = f"e2e_{purpose}_{uuid.uuid4().hex[:12]}"
        psql(self.server, f"CREATE DATABASE {name}")
        self.names.append(name)
        return urllib.parse.urlsplit(self.server)._replace(path="/" + name).geturl()

    def drop(self):
        for name in self.names:
            psql(self.server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
