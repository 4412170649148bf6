#!/bin/sh
# The README's first example is the part of examples/quick_start.cpp between its marks, word for word; and every file that
# the README links to is there.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sed -n '/^  \/\/ \[readme\]$/,/^  \/\/ \[readme\]$/p' "$root/examples/quick_start.cpp" | sed '1d;$d;s/^  //' >"$work/example"
sed -n '/^```cpp$/,/^```$/p' "$root/README.md" | sed -n '2,/^```$/p' | sed '$d' >"$work/readme"
[ -s "$work/example" ] || { echo "examples/quick_start.cpp has lost its marks." && exit 1; }
diff "$work/example" "$work/readme" || { echo "The README's example differs from examples/quick_start.cpp." && exit 1; }

sed '/^```/,/^```/d' "$root/README.md" | grep -o '](\([^)#]*\))' | sed 's/^](//;s/)$//' | grep -v '^https\?:' | sort -u >"$work/links"
[ -s "$work/links" ] || { echo "The README links to nothing; is the pattern of this test right?" && exit 1; }
while IFS= read -r link; do
  [ -e "$root/$link" ] || { echo "The README links to $link, which does not exist." && exit 1; }
done <"$work/links"
