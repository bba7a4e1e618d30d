#!/bin/sh
# Copies folders into an archive and keeps the newest ones.
set -eu

target=${1:-backup}
keep=${2:-5}

if [ ! -d "$target" ]; then
    echo "creating $target" >&2
    mkdir -p "$target"
fi

archive="$target/$(date +%Y%m%d).tar.gz"
if [ -e "$archive" ]; then
    echo "$archive exists" >&2
    exit 1
fi

tar -czf "$archive" src docs
echo "wrote $archive" >&2

count=0
for file in $(ls -r "$target"); do
    count=$((count + 1))
    if [ "$count" -gt "$keep" ]; then
        echo "removing $target/$file" >&2
        rm "$target/$file"
    fi
done
