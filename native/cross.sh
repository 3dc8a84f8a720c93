#!/bin/sh
# Builds the native library and its tests for 64-bit Arm (tier neon) and runs them under qemu's user emulation.
#   native/cross.sh [REGEX]        only tests whose name matches
# Exit status 2: a tool is missing, nothing was run.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$here/target/cross-aarch64
triple=aarch64-linux-gnu
googletest=/usr/src/googletest

missing=
need() { # a test, and the Debian package that makes it true
  eval "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need "command -v cmake" cmake
need "command -v ninja" ninja-build
need "command -v $triple-g++" g++-$triple
need "command -v qemu-aarch64 || command -v qemu-aarch64-static" qemu-user
need "test -f $googletest/CMakeLists.txt" googletest
if [ -n "$missing" ]; then
  echo "SKIPPED tests for aarch64: tools are missing. Debian: apt install$missing" >&2
  exit 2
fi
qemu=$(command -v qemu-aarch64 || command -v qemu-aarch64-static)

cmake -S "$here" -B "$build" -G Ninja -DVOXGRAD_CUDA=OFF -DVOXGRAD_GOOGLETEST=$googletest --log-level=WARNING \
  -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
  -DCMAKE_C_COMPILER=$triple-gcc -DCMAKE_CXX_COMPILER=$triple-g++ \
  "-DCMAKE_CROSSCOMPILING_EMULATOR=$qemu;-L;/usr/$triple"
cmake --build "$build"
cd "$build" && ctest --output-on-failure -R "${1:-.}"
