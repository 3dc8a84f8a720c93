#!/bin/sh
# Puts the scripts that the HTML report inlines into a folder: uPlot (curves) and NiiVue (volumes), from npm, pinned by version and
# SHA-256. Never fails the build: without them the report shows its built-in pictures.
#   usage: fetch-vendor.sh FOLDER
set -eu
out=$1
pins="19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f  uPlot.iife.min.js
df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04  uPlot.min.css
47b896b77ec4a5be3ef1949c33ad393b6f45629921f326c279000bcf51bdb4af  niivue.umd.js"

say() { printf 'voxgrad: %s\n' "$1"; }
good() { [ -d "$1" ] && (cd "$1" && printf '%s\n' "$pins" | sha256sum --check --status 2>/dev/null); }

good "$out" && exit 0
if ! command -v npm >/dev/null 2>&1; then
    say "npm was not found; reports will show pictures instead of the interactive viewer (Debian: apt install npm)"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
if ! npm pack --silent --fetch-retries=1 --fetch-timeout=60000 uplot@1.6.32 @niivue/niivue@0.69.0 >npm.log 2>&1; then
    say "npm could not fetch uplot and @niivue/niivue; reports will show pictures instead of the interactive viewer"
    exit 0
fi
mkdir files
for archive in *.tgz; do
    tar -xzf "$archive"
    for name in uPlot.iife.min.js uPlot.min.css niivue.umd.js; do
        [ ! -f "package/dist/$name" ] || mv "package/dist/$name" files/
    done
    rm -rf package
done
if ! good files; then
    say "the files of uplot 1.6.32 and @niivue/niivue 0.69.0 are not the expected ones (SHA-256); not using them"
    exit 0
fi
mkdir -p "$out"
cp files/* "$out/"
