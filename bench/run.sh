#!/bin/sh
# Prints the benchmark table of this machine: bench/run.sh [PATTERN [THREADS]]
# Nothing else may run meanwhile. Keep a result: bench/run.sh > bench/results/NAME.md
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
[ -n "${JAVA_HOME:-}" ] || for release in /usr/lib/jvm/*/release; do
  version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$release")
  [ "${version:-0}" -lt 22 ] || JAVA_HOME=$(dirname "$release")
done
[ -n "${JAVA_HOME:-}" ] || { echo "set JAVA_HOME to a JDK >= 22" >&2; exit 2; }
classpath=$root/bench/target/classpath
[ -f "$classpath" ] || { echo "build first: mvn -DskipTests package" >&2; exit 2; }
exec "$JAVA_HOME/bin/java" --enable-native-access=ALL-UNNAMED -Dvoxgrad.native.path="$root/native/target/classes" \
  -cp "$root/bench/target/classes:$(cat "$classpath")" dev.voxgrad.bench.Main \
  "$root/bench/problems/conv3d.csv" "$root/native/target/cmake/voxgrad_peak" "$@"
