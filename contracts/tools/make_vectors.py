#!/usr/bin/env python3
"""Writes abi/vectors: payouts, Merkle-sum trees, update trees, accumulators and draws of seats, computed here once more from the text of
contracts/SPEC.md. Solidity and Rust both check themselves against these files. Deterministic; `--check` only compares.

Amounts and counts are decimal strings, because JSON numbers stop at 2^53.
"""
import json
import pathlib
import random
import sys

from keccak import keccak256

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "abi" / "vectors"
BPS = 10_000
UINT128 = 2**128 - 1
ETHER = 10**18


def hexadecimal(data):
    return "0x" + data.hex()


def reward(reward, bps, samples, total_samples, score, total_score):
    by_samples = reward * (BPS - bps) * samples // (BPS * total_samples) if total_samples else 0
    by_score = reward * bps * score // (BPS * total_score) if total_score else 0
    return by_samples + by_score


def payout_vectors(rng):
    inputs = [
        (100 * ETHER, 0, 1, 3, 0, 0),
        (100 * ETHER, 0, 0, 0, 0, 0),
        (100 * ETHER, 2_000, 50, 100, 0, 0),
        (100 * ETHER, 2_000, 0, 0, 7, 10),
        (100 * ETHER, 10_000, 50, 100, 1, 3),
        (1, 5_000, 1, 1, 1, 1),
        (3, 3_333, 1, 2, 1, 2),
        (UINT128, 0, 2**64 - 1, 2**64 - 1, 0, 1),
        (UINT128, 10_000, 1, 1, 2**32 - 1, 2**32 - 1),
        (UINT128, 1, 2**64 - 1, 256 * (2**64 - 1), 2**32 - 1, 256 * (2**32 - 1)),
    ]
    for _ in range(90):
        total_samples = rng.randrange(1, 2 ** rng.randrange(1, 71))
        total_score = rng.randrange(1, 2 ** rng.randrange(1, 40))
        inputs.append(
            (
                rng.randrange(1, 2 ** rng.randrange(1, 129)),
                rng.randrange(0, BPS + 1),
                rng.randrange(0, min(total_samples, 2**64 - 1) + 1),
                total_samples,
                rng.randrange(0, min(total_score, 2**32 - 1) + 1),
                total_score,
            )
        )
    return {
        "cases": [
            {
                "reward": str(r),
                "bps": b,
                "samples": str(w),
                "totalSamples": str(ws),
                "score": q,
                "totalScore": str(qs),
                "expected": str(reward(r, b, w, ws, q, qs)),
            }
            for r, b, w, ws, q, qs in inputs
        ]
    }


def levels_of(leaves, parent):
    """All levels of a tree, leaves first; an odd node moves up unchanged."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([parent(*below[i : i + 2]) if i + 1 < len(below) else below[i] for i in range(0, len(below), 2)])
    return levels


def sum_parent(a, b):
    left, right = sorted((a, b))
    packed = b"\x01" + left[0] + left[1].to_bytes(16, "big") + right[0] + right[1].to_bytes(16, "big")
    return (keccak256(packed), a[1] + b[1])


def plain_parent(a, b):
    left, right = sorted((a, b))
    return keccak256(b"\x01" + left + right)


def proof_of(levels, index):
    proof = []
    for level in levels:
        if index ^ 1 < len(level):
            proof.append(level[index ^ 1])
        index //= 2
    return proof


def merkle_sum_vectors(rng):
    trees = []
    for size in [1, 2, 3, 4, 5, 7, 8, 13]:
        operators = sorted(rng.randbytes(20) for _ in range(size))
        amounts = [rng.randrange(0, 2 ** rng.randrange(1, 120)) for _ in range(size)]
        leaves = [
            (keccak256(b"\x00" + operator + amount.to_bytes(16, "big")), amount)
            for operator, amount in zip(operators, amounts)
        ]
        levels = levels_of(leaves, sum_parent)
        root, total = levels[-1][0]
        trees.append(
            {
                "leaves": [
                    {"operator": hexadecimal(operator), "cumulative": str(amount)}
                    for operator, amount in zip(operators, amounts)
                ],
                "root": hexadecimal(root),
                "sum": str(total),
                "proofs": [
                    [{"hash": hexadecimal(hash_), "sum": str(amount)} for hash_, amount in proof_of(levels, index)]
                    for index in range(size)
                ],
            }
        )
    return {"trees": trees}


def update_vectors(rng):
    rounds = []
    for size in [1, 2, 3, 5, 8]:
        updates = [
            (operator, rng.randbytes(32), rng.randrange(1, 2**64), rng.randrange(0, 2**32))
            for operator in sorted(rng.randbytes(20) for _ in range(size))
        ]
        accumulator = bytes(32)
        for operator, digest, samples, _ in updates:
            accumulator = keccak256(accumulator + operator + digest + samples.to_bytes(8, "big"))
        leaves = [
            keccak256(b"\x00" + operator + digest + samples.to_bytes(8, "big") + score.to_bytes(4, "big"))
            for operator, digest, samples, score in updates
        ]
        rounds.append(
            {
                "updates": [
                    {
                        "operator": hexadecimal(operator),
                        "digest": hexadecimal(digest),
                        "samples": str(samples),
                        "score": score,
                    }
                    for operator, digest, samples, score in updates
                ],
                "root": hexadecimal(levels_of(leaves, plain_parent)[-1][0]),
                "accumulator": hexadecimal(accumulator),
            }
        )
    return {"rounds": rounds}


def draw(seed, round_, seats, count):
    """The seats that take part in a round: selection sampling."""
    taken = []
    for seat in range(seats):
        block = keccak256(seed.to_bytes(8, "big") + round_.to_bytes(2, "big") + (seat // 4).to_bytes(2, "big"))
        number = int.from_bytes(block[24 - 8 * (seat % 4) : 32 - 8 * (seat % 4)], "big")
        if number * (seats - seat) // 2**64 < count - len(taken):
            taken.append(seat)
    return taken


def draw_vectors(rng):
    inputs = [(0, 1, 1, 1), (2**64 - 1, 10_000, 256, 1), (5, 2, 256, 256), (5, 2, 256, 128), (5, 3, 3, 2)]
    while len(inputs) < 40:
        seats = rng.randrange(1, 257)
        inputs.append((rng.randrange(2**64), rng.randrange(1, 10_001), seats, rng.randrange(1, seats + 1)))
    return {
        "draws": [
            {
                "seed": str(seed),
                "round": round_,
                "seats": seats,
                "count": count,
                "drawn": hexadecimal(sum(1 << seat for seat in draw(seed, round_, seats, count)).to_bytes(32, "big")),
            }
            for seed, round_, seats, count in inputs
        ]
    }


def main(arguments):
    rng = random.Random(314159)
    files = {
        "payout.json": payout_vectors(rng),
        "merkle_sum.json": merkle_sum_vectors(rng),
        "updates.json": update_vectors(rng),
        "draw.json": draw_vectors(rng),
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, document in files.items():
        path, text = FOLDER / name, json.dumps(document, indent=1) + "\n"
        if arguments == ["--check"]:
            if not path.exists() or path.read_text() != text:
                sys.exit(f"{path} is stale: run contracts/tools/make_vectors.py")
        else:
            path.write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
