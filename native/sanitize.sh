#!/bin/sh
# Builds the native library and its tests with the address and undefined-behaviour sanitizers and runs them.
# Needs cmake, ninja, g++ and GoogleTest (Debian: apt install cmake ninja-build g++ libgtest-dev).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$here/target/sanitize
cmake -S "$here" -B "$build" -G Ninja -DVOXGRAD_SANITIZE=ON -DVOXGRAD_CUDA=OFF --log-level=WARNING
cmake --build "$build"
[ -n "$(ls "$build"/test/*_test 2>/dev/null)" ] || {
  echo "GoogleTest was not found, so there is nothing to run. Debian: apt install libgtest-dev" >&2
  exit 2
}
cd "$build" && ASAN_OPTIONS=detect_leaks=1 ctest --output-on-failure -j "$(nproc)"
