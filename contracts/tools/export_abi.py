#!/usr/bin/env python3
"""Writes abi/json/<Name>.json ({"abi", "bytecode"}) and abi/beacon-mock.hex from Foundry's artifacts.

Stable: the ABI is sorted by kind, name and argument types, so that a moved line of Solidity changes nothing here.
With --check nothing is written and a difference is an error. Run through script/export-abi, which builds first.
"""
import json
import pathlib
import sys

CONTRACTS = ["Authority", "Stakes", "Escrow", "Operators", "Sessions", "Reputation", "MockUsdfc"]
KINDS = {"constructor": 0, "function": 1, "event": 2, "error": 3, "fallback": 4, "receive": 5}
ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "contracts" / "out"


def canonical_type(argument):
    """The type as in a signature: tuples written out, so that overloads sort the same everywhere."""
    if argument["type"].startswith("tuple"):
        inner = ",".join(canonical_type(part) for part in argument["components"])
        return f"({inner})" + argument["type"][len("tuple"):]
    return argument["type"]


def order(entry):
    arguments = ",".join(canonical_type(argument) for argument in entry.get("inputs", []))
    return (KINDS[entry["type"]], entry.get("name", ""), arguments)


def exported():
    """Every file to write: path -> text."""
    files = {}
    for name in CONTRACTS:
        artifact = json.loads((OUT / f"{name}.sol" / f"{name}.json").read_text())
        document = {"abi": sorted(artifact["abi"], key=order), "bytecode": artifact["bytecode"]["object"]}
        files[ROOT / "abi" / "json" / f"{name}.json"] = json.dumps(document, indent=1) + "\n"
    beacon = json.loads((OUT / "BeaconMock.sol" / "BeaconMock.json").read_text())
    files[ROOT / "abi" / "beacon-mock.hex"] = beacon["deployedBytecode"]["object"] + "\n"
    return files


def main(arguments):
    check = arguments == ["--check"]
    if arguments and not check:
        sys.exit("usage: export-abi [--check]")
    stale = []
    for path, text in exported().items():
        if path.exists() and path.read_text() == text:
            continue
        stale.append(str(path.relative_to(ROOT)))
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    if check and stale:
        sys.exit("the committed ABI is not that of the contracts; run script/export-abi: " + ", ".join(stale))
    for path in stale:
        print(f"wrote {path}", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
