#!/bin/bash
# Tests/Fuzz/build.sh TARGET... : builds the fuzz targets (default: all) as Tests/Fuzz/.build-fuzz/TARGET.
# Tests/Fuzz/build.sh --run SECONDS [TARGET...] : builds them, then runs each that long over its corpus; findings stay in
# Tests/Fuzz/.build-fuzz/. Stops at the first target that fails.
# A target is a folder here with a Swift file, which defines LLVMFuzzerTestOneInput, and corpus/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
seconds=
if [ "${1:-}" = --run ]; then seconds=$2; shift 2; fi
[ $# -gt 0 ] || set -- $(for corpus in */corpus; do dirname "$corpus"; done)
out=.build-fuzz
for target; do
    [ -d "$target/corpus" ] || { echo "$0: no fuzz target $target" >&2; exit 2; }
    rm -f $out/*/release/"libFuzz$target.a" # an archive keeps what sources that are gone have left in it
    swift build -c release --scratch-path $out --product "Fuzz$target"
done
built=$(swift build -c release --scratch-path $out --show-bin-path)
for target; do
    # SwiftPM would name main itself; libFuzzer brings its own, so the program is linked here.
    # Of DPDK's libraries the data plane's targets need the meters' arithmetic.
    swiftc -use-ld=lld -sanitize=fuzzer,address "$built/libFuzz$target.a" -lstdc++ -Xlinker --as-needed -lrte_meter \
        -o "$out/$target"
done
[ -n "$seconds" ] || exit 0
for target; do
    echo "== fuzz $target, $seconds s"
    # New inputs go to a folder of the build; the kept corpus is only read.
    mkdir -p "$out/found/$target"
    "$out/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$out/$target-" "$out/found/$target" "$target/corpus"
done
