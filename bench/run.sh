#!/bin/sh
# Measures the problems of bench/problems against the peers: bench/run.sh [PATTERN] [--threads N] [--seconds S] [--json]
# [--save NAME], see --help. Nothing else may run meanwhile. Peers need a build with mvn -Ppeers -DskipTests package.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
[ -n "${JAVA_HOME:-}" ] || for release in /usr/lib/jvm/*/release; do
  version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$release")
  [ "${version:-0}" -lt 22 ] || JAVA_HOME=$(dirname "$release")
done
[ -n "${JAVA_HOME:-}" ] || { echo "set JAVA_HOME to a JDK >= 22" >&2; exit 2; }
classpath=$root/bench/target/classpath
[ -f "$classpath" ] || { echo "build first: mvn -Ppeers -DskipTests package" >&2; exit 2; }
commit=$(git -C "$root" rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
# What earlier runs have written changes nothing that is measured.
changed=$(git -C "$root" status --porcelain --untracked-files=no -- . ':!bench/results' ':!README.md' 2>/dev/null || true)
[ -z "$changed" ] || commit=$commit-dirty
# ONNX Runtime would look for a server to report to.
export ORT_DISABLE_TELEMETRY=1
# The heap is touched at the start, so that the growth of resident memory is that of native memory.
exec "$JAVA_HOME/bin/java" -Xms3g -Xmx3g -XX:+AlwaysPreTouch --enable-native-access=ALL-UNNAMED \
  -Dvoxgrad.native.path="$root/native/target/classes" -Dvoxgrad.root="$root" -Dvoxgrad.commit="$commit" \
  -cp "$root/bench/target/classes:$(cat "$classpath")" dev.voxgrad.bench.Main "$@"
