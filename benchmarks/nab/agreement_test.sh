#!/bin/sh
# agreement_test.sh NAB: every score that the program nab prints must be, to two decimals, what the exact scorer of the
# benchmark makes of the result files that it writes; the benchmark's own baseline must score what is published of it;
# and all that is drawn must follow from the seed. Scorer and corpus lie beside the project (../shared), or where
# RECOUP_NAB says; their licences keep them out of it.
set -eu
nab=$1
shared=${RECOUP_NAB:-$(cd "$(dirname "$0")/../.." && pwd)/../shared}
if [ ! -d "$shared/data/nab" ] || [ ! -f "$shared/nab-score/score.sh" ]; then
  echo "Skipped: there are no data/nab and nab-score in $shared; set RECOUP_NAB to their folder."
  exit 77
fi
if ! command -v g++ > /dev/null || ! command -v python3 > /dev/null; then
  echo "Skipped: the exact scorer needs g++ and python3."
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$nab" "$shared/data/nab" --out "$work/results" --perturb 0 --halves 0 --bootstrap 0 > "$work/table"
for results in "$work"/results/*; do
  detector=$(basename "$results")
  wanted=$(sh "$shared/nab-score/score.sh" "$results" | awk '{ printf "%s ", $2 }')
  said=$(awk -v d="$detector" '$1 == d && $2 ~ /^-?[0-9.]+$/ { printf "%s %s %s ", $2, $3, $4 }' "$work/table")
  [ "$said" = "$wanted" ] || { echo "$detector: nab says $said, the exact scorer $wanted" && exit 1; }
  echo "$detector: $said"
done
grep -q '^windowed_gaussian  *39\.65  *20\.87  *47\.41 ' "$work/table" ||
  { echo "windowed_gaussian does not score as published: 39.65 20.87 47.41." && exit 1; }

drawn() { "$nab" "$shared/data/nab" --detector ewma_z --halves 1 --perturb 3 --bootstrap 20 --seed "$1"; }
drawn 1 > "$work/one"
drawn 1 | cmp - "$work/one" || { echo "The same seed gave two reports." && exit 1; }
! drawn 2 | cmp -s - "$work/one" || { echo "The seed changes nothing." && exit 1; }
