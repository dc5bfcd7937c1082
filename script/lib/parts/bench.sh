# A Python environment for benchmarks and comparisons against other implementations; only `script/setup --bench` asks for it.
# shellcheck shell=bash

bench_find() { return 1; }
bench_install() { return 1; }
