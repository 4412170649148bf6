#!/bin/sh
# recover_test.sh RECOVER: what the program says of streams that people wrote, and of input that nobody should write.
set -eu
recover=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad() {
  echo "FAILED: $*"
  exit 1
}
# last_line WANTED ARGUMENT...: the last line that recover prints is this.
last_line() {
  wanted=$1
  shift
  "$recover" "$@" >"$work/out" || bad "recover $* ended with $?"
  [ "$(tail -n 1 "$work/out")" = "$wanted" ] || bad "recover $* ends with: $(tail -n 1 "$work/out"); wanted: $wanted"
}
# refuses WORD ARGUMENT...: recover ends with 2 and a sentence that has this in it, and nothing else.
refuses() {
  word=$1
  shift
  status=0
  "$recover" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
  [ $status -eq 2 ] || bad "recover $* ended with $status"
  [ ! -s "$work/out" ] || bad "recover $* printed $(head -n 1 "$work/out")"
  grep -qF -e "$word" "$work/err" || bad "recover $* says: $(cat "$work/err"); wanted: $word"
}

cat >"$work/stream.csv" <<'CSV'
at,device,n,id,value
2025-02-09T12:00:00Z,a,1,x1,5
2025-02-09T12:00:01Z,a,2,x2,6
2025-02-09T12:00:01Z,a,2,x2,6
2025-02-09T12:00:02Z,b,1,y1,7
2025-02-09T12:00:04Z,a,5,x5,99
2025-02-09T12:00:05Z,a,6,,5
not a time,a,7,x7,5
2025-02-09T12:00:06Z,a,7,"x7
CSV
set -- --stream device --sequence n --key id --time at --value value --require id
last_line 'missing=2 gaps=1 duplicates=1 rejected=1' "$@" "$work/stream.csv"
grep -q 'line 8: ' "$work/out" || bad "the malformed row is not told by its line: $(cat "$work/out")"
grep -q 'a: 3 to 4, asked for, attempt 1 of 1' "$work/out" || bad "the missing range is not told: $(cat "$work/out")"
last_line 'missing=2 gaps=1 duplicates=1 rejected=2' "$@" --range 0 10 --on-range reject "$work/stream.csv"
last_line 'missing=2 gaps=1 duplicates=1 rejected=1' "$@" --range 0 10 --on-range clamp --infer "$work/stream.csv"
grep -qE 'corrected +1$' "$work/out" || bad "the clamped value is not told: $(cat "$work/out")"
grep -qE 'inferred +2$' "$work/out" || bad "the inferred events are not told: $(cat "$work/out")"

# As lines of JSON, each an object; and the same from NDJSON on standard input.
"$recover" "$@" --json "$work/stream.csv" >"$work/json"
[ "$(grep -c '"kind":"accepted"' "$work/json")" -eq 4 ] || bad "not 4 accepted: $(cat "$work/json")"
tail -n 1 "$work/json" | grep -q '"kind":"summary","missing":2,"gaps":1,"duplicates":1,"rejected":1,' ||
  bad "the last object is $(tail -n 1 "$work/json")"
cat >"$work/stream.ndjson" <<'NDJSON'
{"at":"2025-02-09T12:00:00Z","device":"a","n":1,"id":"x1"}
{"at":"2025-02-09T12:00:01Z","device":"a","n":3,"id":"x3"}
{"at":"2025-02-09T12:00:01Z","device":"a","n":3,"id":"x3"
{"at":"2025-02-09T12:00:02Z","device":"a","n":3,"id":"x3"}
NDJSON
"$recover" --stream device --sequence n --key id --time at - <"$work/stream.ndjson" >"$work/out"
[ "$(tail -n 1 "$work/out")" = 'missing=1 gaps=1 duplicates=1 rejected=0' ] || bad "NDJSON: $(cat "$work/out")"

# Input that can't be used.
: >"$work/empty.csv"
head -c 5000 "$recover" >"$work/junk.csv"
refuses 'nothing to look for' "$work/stream.csv"
refuses 'No such file' --sequence n "$work/absent.csv"
refuses 'is a directory' --sequence n "$work"
refuses 'is empty' --sequence n "$work/empty.csv"
refuses 'has no column "m"; it has at, device, n, id, value.' --sequence m "$work/stream.csv"
refuses 'junk.csv' --sequence n "$work/junk.csv"
refuses 'COLUMN=TEXT' --sequence n --where nothing "$work/stream.csv"

# 40 million bytes in constant memory: the address space is limited. (Sanitizers need all of it.)
if ! grep -q __asan_init "$recover"; then
  awk 'BEGIN { print "n,id"; for (i = 1; i <= 2000000; ++i) if (i % 1000) print i ",event-" i }' >"$work/large.csv"
  (
    ulimit -v 131072
    "$recover" --sequence n --key id "$work/large.csv" >"$work/out"
  ) || bad "2 million rows do not fit 128 MiB"
  [ "$(tail -n 1 "$work/out")" = 'missing=1999 gaps=1999 duplicates=0 rejected=0' ] || bad "large: $(tail -n 1 "$work/out")"
fi
echo "recover says what it should."
