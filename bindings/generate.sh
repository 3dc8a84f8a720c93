#!/bin/sh
# Regenerates the bindings of native/include/voxgrad.h with jextract; run it after every change of the header.
#   bindings/generate.sh           rewrites bindings/src/jextract
#   bindings/generate.sh --check   regenerates into a scratch folder and fails on any difference
# Needs jextract (https://jdk.java.net/jextract, or built from openjdk/jextract) on the PATH or in $JEXTRACT.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
include=$here/../native/include
jextract=${JEXTRACT:-jextract}
command -v "$jextract" >/dev/null 2>&1 || {
  echo "jextract was not found. Put it on the PATH or set JEXTRACT=/path/to/bin/jextract (see bindings/README.md)." >&2
  exit 2
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# One --include option per item of our own header: without them libc's constants come along.
"$jextract" --dump-includes "$scratch/all" "$include/voxgrad.h" 2>/dev/null
grep 'voxgrad\.h' "$scratch/all" | sed 's/ *#.*//' | grep -v '^ *$' | sort >"$scratch/includes"
cat "$here/jextract.options" "$scratch/includes" >"$scratch/options"
"$jextract" "@$scratch/options" --output "$scratch/java" "$include/voxgrad.h" 2>"$scratch/log" || {
  cat "$scratch/log" >&2
  exit 1
}
# findOrThrow exists since Java 23 only; the rest of the output is Java 22.
find "$scratch/java" -name '*.java' -exec sed -i \
  's/SYMBOL_LOOKUP\.findOrThrow(\("[^"]*"\))/SYMBOL_LOOKUP.find(\1).orElseThrow()/g' {} +
sha256sum "$include/voxgrad.h" | cut -d' ' -f1 >"$scratch/voxgrad.h.sha256"

if [ "${1:-}" = --check ]; then
  diff -r "$scratch/java" "$here/src/jextract/java" && diff "$scratch/voxgrad.h.sha256" "$here/src/jextract/voxgrad.h.sha256"
  echo "bindings agree with the header"
else
  rm -rf "$here/src/jextract"
  mkdir -p "$here/src/jextract"
  mv "$scratch/java" "$scratch/voxgrad.h.sha256" "$here/src/jextract/"
  echo "bindings written to bindings/src/jextract"
fi
