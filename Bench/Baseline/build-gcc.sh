#!/bin/sh
# Compiles the baseline with gcc into the shared object given, for `bench-forwarding --gcc-baseline`.
set -eu
output=${1:?usage: build-gcc.sh OUTPUT.so}
root=$(cd "$(dirname "$0")/../.." && pwd)
case $(uname -m) in
x86_64) arch="-I/usr/include/x86_64-linux-gnu/dpdk -march=x86-64-v3" ;;
*) arch="-I/usr/include/aarch64-linux-gnu/dpdk -march=armv8-a+crc" ;;
esac
mkdir -p "$(dirname "$output")"
# shellcheck disable=SC2086
exec "${GCC:-gcc}" -std=gnu11 -O3 -Wall -Wextra -Wno-unused-parameter -fPIC -shared $arch -I/usr/include/dpdk \
    -I"$root/Sources/CShims/Segment/include" -I"$root/Bench/Baseline/include" -o "$output" "$root/Bench/Baseline/baseline.c"
