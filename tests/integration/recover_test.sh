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
grep -q 'a: 3 to 4, asked for once$' "$work/out" || bad "the missing range is not told: $(cat "$work/out")"
grep -qE 'missing +2  in 1 gap; 1 replay request$' "$work/out" || bad "one gap is not told in the singular: $(cat "$work/out")"
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

# Open, given up and filled gaps, told apart: 2 comes after 50 s; 4, 5 and 10 are given up, and 5 is late; 12 is open.
cat >"$work/ends.csv" <<'CSV'
s,n
0,1
0,3
50,2
60,6
130,7
150,8
250,9
260,5
400,11
420,13
CSV
set -- --sequence n --time s --time-as s --reorder-distance 1
tells() { grep -qE -e "$1" "$work/out" || bad "wanted: $1; the report is: $(cat "$work/out")"; }
last_line 'missing=3 gaps=4 duplicates=0 rejected=0' "$@" --answer-within 60 "$work/ends.csv"
tells 'missing +3  of 5 in 4 gaps; 4 replay requests$'
tells 'still open +1  in 1 gap$'
tells '^ +12, asked for once$'
tells 'given up +2  in 2 gaps$'
tells '^ +4 to 5, of which 1 came, asked for once: the last replay request was not answered in time$'
tells 'filled +2  came after all, 1 gap in full$'
tells '^ +2, after 50 s$'
tells 'late +1  '
"$recover" "$@" --answer-within 60 --json "$work/ends.csv" | tail -n 1 >"$work/out"
tells '"open":1,"open_gaps":1,"abandoned":2,"abandoned_gaps":2,"filled":2,"filled_gaps":1,"late":1,'

# Each policy changes what is said.
last_line 'missing=3 gaps=4 duplicates=0 rejected=0' "$@" --answer-within 60 --attempts 3 --longest-wait 120 "$work/ends.csv"
tells '4 to 5, of which 1 came, asked for 3 times$'
tells '10, asked for twice$'
last_line 'missing=3 gaps=4 duplicates=0 rejected=0' "$@" --give-up-after 70 "$work/ends.csv"
tells ': it was missing for longer than give_up_after$'
last_line 'missing=3 gaps=4 duplicates=0 rejected=0' "$@" --max-range 1 "$work/ends.csv"
tells '; 5 replay requests$'
last_line 'missing=3 gaps=4 duplicates=0 rejected=0' "$@" --attempts 0 "$work/ends.csv"
tells 'never asked for$'
last_line 'missing=3 gaps=4 duplicates=0 rejected=0' "$@" --max-gaps 1 "$work/ends.csv"
tells ': more gaps were open than max_gaps admits$'
last_line 'missing=7 gaps=5 duplicates=0 rejected=0' "$@" --expect-to 17 "$work/ends.csv"
tells '^ +14 to 17, asked for once$'
last_line 'missing=4 gaps=5 duplicates=0 rejected=0' "$@" --expect-from 0 "$work/ends.csv"
tells '^ +0, asked for once$'
printf '%s\n' n 1 2 900 3 500 501 504 1 2 3 >"$work/jumps.csv"
last_line 'missing=2 gaps=1 duplicates=0 rejected=0' --sequence n --max-jump 100 --max-behind 200 "$work/jumps.csv"
tells 'out of range +5  numbers too far ahead or behind to be believed at once$'
tells 'resumed +2  times a stream went on at another number$'
tells '^ +502 to 503, never asked for: the stream was taken up anew at another number$'
last_line 'missing=0 gaps=0 duplicates=0 rejected=0' --sequence n --max-jump 100 --max-behind 200 --resynchronise-after 3 "$work/jumps.csv"
"$recover" --sequence n --max-jump 100 --expect-to 2000 "$work/jumps.csv" >"$work/out" 2>&1
tells '1 stream ends further than --max-jump below --expect-to'

# What can't be meant.
set -- --sequence n --time s
refuses '--bits must be a whole number from 1 to 64, and this is "65".' "$@" --bits 65 "$work/ends.csv"
refuses '--max-gaps must be a whole number from 1 to 268435456, and this is "-1".' "$@" --max-gaps=-1 "$work/ends.csv"
refuses '--max-range must be a whole number from 1 to 2^64 - 1, and this is "0".' "$@" --max-range 0 "$work/ends.csv"
refuses '--attempts must be a whole number' "$@" --attempts 4294967295 "$work/ends.csv"
refuses '--give-up-after must be a number above 0 of seconds, and this is "soon".' "$@" --give-up-after soon "$work/ends.csv"
refuses '--reorder-delay must be a number, 0 or more, of seconds, and this is "nan".' "$@" --reorder-delay nan "$work/ends.csv"
refuses '--longest-wait, 5 s, must not be shorter than --answer-within, 2 minutes.' "$@" --attempts 2 --answer-within 120 --longest-wait 5 "$work/ends.csv"
refuses '--longest-wait needs --attempts above 1.' "$@" --longest-wait 7200 "$work/ends.csv"
refuses '--expect-from 4096 does not fit --bits 12.' "$@" --bits 12 --expect-from 4096 "$work/ends.csv"
refuses '--expect-to 1 must not be less than --expect-from 2.' "$@" --expect-from 2 --expect-to 1 "$work/ends.csv"
refuses '--max-jump needs --sequence' --key n --max-jump 5 "$work/ends.csv"
refuses '--give-up-after needs --time' --sequence n --give-up-after 5 "$work/ends.csv"
refuses '--window needs --key' "$@" --window 5 "$work/ends.csv"
refuses '--range needs --value' "$@" --range 1 2 "$work/ends.csv"
refuses '--range wants two numbers, the lower one first, and this is "2 1".' "$@" --value n --range 2 1 "$work/ends.csv"
refuses '--on-range needs --range' "$@" --value n --on-range clamp "$work/ends.csv"
refuses '--type needs --infer' "$@" --type n "$work/ends.csv"
refuses '--seed needs --demo.' "$@" --seed 5 "$work/ends.csv"
refuses '--demo generates its events, and --bits says something of others.' --demo --bits 5
refuses '--nonsense' --nonsense "$work/ends.csv"
refuses '--preset' --preset nonsense "$work/ends.csv"

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
