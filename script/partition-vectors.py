#!/usr/bin/env python3
"""Writes crates/learning/tests/vectors/partition.json: which rows each seat gets, for every way to deal.

A second implementation, from the definitions and not from the Rust code, in plain Python: the generator (ChaCha12), shuffles,
gamma and Dirichlet draws, label skew, the minimum and the overlap. Run it again only when a definition changes on purpose;
`--check` only compares.
"""

import json
import math
import struct
import sys
from collections import deque
from pathlib import Path

ATTEMPTS = 50
MASK = 0xFFFFFFFF


def chacha12(key: bytes, counter: int) -> list[int]:
    """One block of ChaCha with 12 rounds, 64-bit counter, nonce 0, as 32-bit words."""
    start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, *struct.unpack("<8I", key), counter & MASK, counter >> 32, 0, 0]
    s = list(start)

    def quarter(a, b, c, d):
        for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & MASK
            mixed = s[z] ^ s[x]
            s[z] = (mixed << turn | mixed >> (32 - turn)) & MASK

    for _ in range(6):
        for column in range(4):
            quarter(column, 4 + column, 8 + column, 12 + column)
        for column in range(4):
            quarter(column, 4 + (column + 1) % 4, 8 + (column + 2) % 4, 12 + (column + 3) % 4)
    return [(x + y) & MASK for x, y in zip(s, start)]


class Stream:
    """Random numbers for one purpose, seed and position."""

    def __init__(self, purpose: str, seed: int, first: int, second: int):
        self.key = purpose.encode().ljust(8, b"\0") + struct.pack("<3Q", seed, first, second)
        self.counter, self.words = 0, deque()

    def word(self) -> int:
        if not self.words:
            block = chacha12(self.key, self.counter)
            self.counter += 1
            self.words.extend(low | high << 32 for low, high in zip(block[::2], block[1::2]))
        return self.words.popleft()

    def below(self, bound: int) -> int:
        limit = (1 << 64) - (1 << 64) % bound
        while (word := self.word()) >= limit:
            pass
        return word % bound

    def shuffle(self, items: list):
        for end in range(len(items) - 1, 0, -1):
            other = self.below(end + 1)
            items[end], items[other] = items[other], items[end]

    def open_unit(self) -> float:
        return ((self.word() >> 12) + 0.5) * 2.0**-52

    def normal(self) -> float:
        while True:
            x = 2 * self.open_unit() - 1
            y = 2 * self.open_unit() - 1
            square = x * x + y * y
            if 0 < square < 1:
                return x * math.sqrt(-2 * math.log(square) / square)

    def ln_gamma(self, shape: float) -> float:
        if shape < 1:
            return self.ln_gamma(shape + 1) + math.log(self.open_unit()) / shape
        d = shape - 1 / 3
        c = 1 / math.sqrt(9 * d)
        while True:
            x = self.normal()
            root = 1 + c * x
            if root <= 0:
                continue
            v = root * root * root
            if math.log(self.open_unit()) < 0.5 * x * x + d - d * v + 3 * d * math.log(root):
                return math.log(d) + 3 * math.log(root)

    def dirichlet(self, concentration: float, seats: int) -> list[float]:
        logarithms = [self.ln_gamma(concentration) for _ in range(seats)]
        weights = [math.exp(logarithm - max(logarithms)) for logarithm in logarithms]
        return [weight / total(weights) for weight in weights]


def total(values):
    """Left to right; Python's own sum compensates rounding."""
    result = 0.0
    for value in values:
        result += value
    return result


def apportion(shares, rows):
    cuts = [0] + [min(rows, math.floor(total(shares[:end]) * rows + 0.5)) for end in range(1, len(shares))] + [rows]
    return [end - start for start, end in zip(cuts, cuts[1:])]


def parts(rows, count):
    sizes = [len(rows) // count + (part < len(rows) % count) for part in range(count)]
    return [rows[sum(sizes[:part]) : sum(sizes[: part + 1])] for part in range(count)]


def grouped(labels):
    if isinstance(labels[0], int):
        return [[row for row, label in enumerate(labels) if label == group] for group in sorted(set(labels))]
    by_value = sorted(range(len(labels)), key=lambda row: (labels[row], row))
    return [sorted(part) for part in parts(by_value, min(10, len(labels)))]


def sizes(counts):
    return [sum(column) for column in zip(*counts)]


def top_up(counts, least, fixed):
    """Moves rows along the shortest chains from seats above the minimum to those below it; None where that is impossible."""

    def spare(group, seat):
        return max(0, counts[group][seat] - fixed)

    while (needy := next((seat for seat, size in enumerate(sizes(counts)) if size < least), None)) is not None:
        size, reached, layer, donor = sizes(counts), {}, [needy], None
        while layer and donor is None:
            after = []
            for to in layer:
                for seat in range(len(size)):
                    groups = [g for g in range(len(counts)) if spare(g, seat) and not (fixed and counts[g][to] == 0)]
                    if seat != needy and seat not in reached and groups:
                        reached[seat] = (min(groups, key=lambda g: (-counts[g][seat], g)), to)
                        after.append(seat)
            donor = min((s for s in after if size[s] > least), key=lambda s: (-size[s], s), default=None)
            layer = after
        if donor is None:
            return None
        chain, seat = [], donor
        while seat != needy:
            group, to = reached[seat]
            chain.append((group, seat, to))
            seat = to
        rows = min(least - size[needy], size[donor] - least, *(spare(group, seat) for group, seat, _ in chain))
        for group, seat, to in chain:
            counts[group][seat] -= rows
            counts[group][to] += rows
    return counts


def label_skew(group_sizes, classes, seats, stream):
    order = list(range(len(group_sizes)))
    stream.shuffle(order)
    places, left = [0] * len(order), seats * classes
    while left:
        for group in order:
            if left and places[group] < min(group_sizes[group], seats):
                places[group] += 1
                left -= 1
    holders = [[] for _ in order]
    for seat in range(seats):
        chosen = [group for group in range(len(places)) if places[group] == seats - seat]
        while len(chosen) < classes:
            urn = [group for group, count in enumerate(places) if group not in chosen for _ in range(count)]
            chosen.append(urn[stream.below(len(urn))])
        for group in chosen:
            places[group] -= 1
            holders[group].append(seat)
    counts = [[0] * seats for _ in group_sizes]
    for group, having in enumerate(holders):
        stream.shuffle(having)
        for part, seat in enumerate(having):
            counts[group][seat] = group_sizes[group] // len(having) + (part < group_sizes[group] % len(having))
    return counts


def own(labels, partition, seats, least, seed):
    kind, _, parameter = partition.partition(":")
    rows, groups = list(range(len(labels))), grouped(labels)
    if kind == "sequential":
        return parts(rows, seats)
    if kind == "iid":
        Stream("deal", seed, 0, 0).shuffle(rows)
        return parts(rows, seats)
    if kind == "stratified":
        dealt = []
        for index, group in enumerate(groups):
            Stream("deal", seed, index, 0).shuffle(group)
            dealt += group
        return [dealt[seat::seats] for seat in range(seats)]
    if kind == "quantity-skew":
        groups = [rows]

    def draw(attempt):
        if kind == "label-skew":
            stream = Stream("shares", seed, 0, attempt)
            return label_skew([len(group) for group in groups], int(parameter), seats, stream)
        return [
            apportion(Stream("shares", seed, index, attempt).dirichlet(float(parameter), seats), len(group))
            for index, group in enumerate(groups)
        ]

    draws = [draw(attempt) for attempt in range(ATTEMPTS)]
    draws.sort(key=lambda counts: sum(max(0, least - size) for size in sizes(counts)))
    counts = next(filled for filled in (top_up(counts, least, kind == "label-skew") for counts in draws) if filled)
    shards = [[] for _ in range(seats)]
    for index, group in enumerate(groups):
        Stream("deal", seed, index, 0).shuffle(group)
        for seat, shard in enumerate(shards):
            start = sum(counts[index][:seat])
            shard += group[start : start + counts[index][seat]]
    return [sorted(shard) for shard in shards]


def borrowed(shard, seat, rows, thousandths, seed):
    others = [row for row in range(rows) if row not in shard]
    wanted = len(shard) * thousandths // 1000
    stream, drawn = Stream("overlap", seed, seat, 0), set()
    for last in range(len(others) - wanted, len(others)):
        number = stream.below(last + 1)
        drawn.add(last if number in drawn else number)
    return [others[position] for position in sorted(drawn)]


def case(labels, partition, seats, least, thousandths, seed):
    shards = own(labels, partition, seats, least, seed)
    lent = [borrowed(shard, seat, len(labels), thousandths, seed) for seat, shard in enumerate(shards)]
    return {
        "labels": {"Classes" if isinstance(labels[0], int) else "Numbers": labels},
        "partition": partition,
        "seats": seats,
        "min_samples": least,
        "overlap_ratio": thousandths / 1000,
        "seed": seed,
        "shards": [{"own": mine, "borrowed": theirs} for mine, theirs in zip(shards, lent)],
    }


def main():
    classes = [row * row % 4 + (row % 3 == 0) for row in range(60)]
    numbers = [(row * 37 % 50) / 4 for row in range(50)]
    cases = [
        case(labels, partition, seats, least, thousandths, seed)
        for seed, labels in ((7, classes), (2**63 + 5, numbers))
        for partition in ("iid", "sequential", "stratified", "dirichlet:0.1", "dirichlet:5", "label-skew:2",
                          "quantity-skew:0.3")
        for seats, least, thousandths in ((5, 1, 0), (6, 7, 290))
    ]
    file = Path(__file__).resolve().parent.parent / "crates/learning/tests/vectors/partition.json"
    lines = ",\n".join(json.dumps(each, separators=(",", ":")) for each in cases)
    text = f"[\n{lines}\n]\n"
    if "--check" not in sys.argv[1:]:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    elif file.read_text() != text:
        sys.exit(f"{file} is not what script/partition-vectors.py writes; run it and look at the difference")


if __name__ == "__main__":
    main()
