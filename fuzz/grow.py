#!/usr/bin/env python3
"""Makes seeds of real size: grow.py CORPUS FOLDER BYTES writes two inputs of at most BYTES bytes to FOLDER for each file of CORPUS.
One repeats the whole file, the other the middle third of it between its first and its last third. Mutations alone hardly ever grow an
input a hundredfold, and what is quadratic shows only in large inputs."""
import pathlib
import sys


def grown(seed, size):
    third = len(seed) // 3
    head, middle, tail = seed[:third], seed[third:len(seed) - third], seed[len(seed) - third:]
    if middle:
        yield seed * (size // len(seed))
        yield head + middle * ((size - len(head) - len(tail)) // len(middle)) + tail


def main(corpus, folder, size):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for seed in pathlib.Path(corpus).iterdir():
        for number, made in enumerate(grown(seed.read_bytes(), int(size))):
            (folder / f"{seed.name}-{number}").write_bytes(made)


if __name__ == "__main__":
    main(*sys.argv[1:])
