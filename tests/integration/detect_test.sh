#!/bin/sh
# detect_test.sh RECOVER: what detect, which lies beside recover, prints and writes.
set -eu
detect=$(dirname "$1")/detect
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
  echo "$*" >&2
  exit 1
}

# 2,000 values every five minutes, noise of a fixed pattern, and one that stands out.
awk 'BEGIN {
  print "timestamp,value"
  for (i = 0; i < 2000; ++i) {
    noise = (i * 7919) % 101 / 10
    printf "%d,%g\n", 1700000000 + 300 * i, 50 + noise + (i == 1500 ? 500 : 0)
  }
}' >"$work/metric.csv"
"$detect" --time-format s "$work/metric.csv" --html "$work/page.html" >"$work/out.csv" 2>"$work/err"
[ "$(head -n 1 "$work/out.csv")" = "timestamp,value,score,alert,expected,lower,upper" ] || fail "another header"
[ "$(wc -l <"$work/out.csv")" -eq 2001 ] || fail "a line for each value was expected"
grep -q "^$((1700000000 + 300 * 1500)),5[0-9.]*,[0-9.]*,1," "$work/out.csv" || fail "the value that stands out is no alert"
[ "$(awk -F, '$4 == 1' "$work/out.csv" | wc -l)" -le 3 ] || fail "too many alerts"
grep -q "</html>" "$work/page.html" || fail "no page"
if grep -qE '(src|href)="(https?:)?//' "$work/page.html"; then fail "the page loads something"; fi

# As a stream, and by every detector, a line for each value.
for detector in value ewma welford holt_winters cusum page_hinkley; do
  lines=$("$detect" --time-format s --detector $detector <"$work/metric.csv" 2>/dev/null | wc -l)
  [ "$lines" -eq 2001 ] || fail "$detector printed $lines lines"
done

# Counts: 10 events every minute for three days, none in one quarter of an hour: buckets of five minutes.
awk 'BEGIN {
  print "at"
  for (m = 0; m < 4320; ++m) if (m < 4000 || m >= 4015) for (e = 0; e < 10; ++e) printf "%d\n", 1700000100 + 60 * m + e
}' >"$work/events.csv"
"$detect" --detector rate --time at --time-format s --value "" --bucket 300 "$work/events.csv" >"$work/rate.csv" 2>/dev/null
[ "$(awk -F, 'NR > 1 && $2 == 50' "$work/rate.csv" | wc -l)" -ge 860 ] || fail "the buckets are not those of 50 events"
[ "$(awk -F, 'NR > 1 && $2 == 0 && $4 == 1' "$work/rate.csv" | wc -l)" -eq 3 ] || fail "silence is no alert"

# The input ends within a bucket: that one is not judged.
head -n 40000 "$work/events.csv" >"$work/cut.csv"
"$detect" --detector rate --time at --time-format s --value "" --bucket 300 "$work/cut.csv" >"$work/rate.csv" 2>"$work/err"
tail -n 1 "$work/rate.csv" | grep -q ",50," || fail "a bucket was judged that is cut off"
grep -q "last bucket" "$work/err" || fail "a bucket was left out in silence"

# Times are written as they were read, and what could not be read is told.
printf 'timestamp,value\n1735689600.25,5\n-0.5,"1,5"\n,7\n' |
  "$detect" --time-format s >"$work/out.csv" 2>"$work/err"
grep -q "^1735689600.25,5," "$work/out.csv" || fail "a fraction of a second was lost"
grep -q "^-0.5,," "$work/out.csv" || fail "a time before 1970 was lost"
grep -q "^1 values are no numbers" "$work/err" || fail "a value that is none was taken in silence"
grep -q "^1 rows without a time" "$work/err" || fail "a row without a time was dropped in silence"

# An input of which nothing could be read is no success.
code=0
"$detect" "$work/metric.csv" >/dev/null 2>"$work/err" || code=$?
[ "$code" -eq 1 ] && grep -q "^No value was read" "$work/err" || fail "times in another form were taken for a metric without values"

# What can't be meant is refused with a sentence.
code=0
"$detect" --detector nothing "$work/metric.csv" >/dev/null 2>"$work/err" || code=$?
[ "$code" -eq 2 ] || fail "an unknown detector was taken"
code=0
"$detect" "$work/none.csv" >/dev/null 2>"$work/err" || code=$?
[ "$code" -eq 1 ] && grep -q "none.csv" "$work/err" || fail "a missing file was not named"
code=0
"$detect" --value "" "$work/metric.csv" >/dev/null 2>"$work/err" || code=$?
[ "$code" -eq 1 ] || fail "values without a column were judged"
code=0
"$detect" --bucket nan "$work/metric.csv" >/dev/null 2>"$work/err" || code=$?
[ "$code" -eq 1 ] || fail "a bucket of NaN seconds was taken"
