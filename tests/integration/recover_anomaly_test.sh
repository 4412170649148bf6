#!/bin/sh
# recover_anomaly_test.sh RECOVER: what the program says of streams that are unusual, and that it says nothing of others.
set -eu
recover=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad() {
  echo "FAILED: $*"
  exit 1
}
refuses() {
  word=$1
  shift
  status=0
  "$recover" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
  [ $status -eq 2 ] || bad "recover $* ended with $status"
  grep -qF -e "$word" "$work/err" || bad "recover $* says: $(cat "$work/err"); wanted: $word"
}
tells() { grep -qE -e "$1" "$work/out" || bad "wanted: $1; the output is: $(cat "$work/out")"; }
ends_with() { [ "$(tail -n 1 "$work/out")" = "$1" ] || bad "the last line is $(tail -n 1 "$work/out"); wanted: $1"; }
count() { grep -cE -e "$1" "$work/out" || true; }

# shop FROM TO [DEVICE FROM TO [SHARE FROM TO]]: 36 hours of three devices from 2023-11-14 00:00 UTC on, each of which
# scans every 10 s at random, and of 95 % of the scans an entry comes a second later. None scans from second FROM to TO;
# DEVICE does not in a time of its own; and SHARE of the scans lead to an entry in another.
shop() {
  awk -v seed="${seed:-1}" -v off="$1" -v on="$2" -v quiet="${3:-}" -v quiet_from="${4:-0}" -v quiet_to="${5:-0}" \
    -v share="${6:-0}" -v poor_from="${7:-0}" -v poor_to="${8:-0}" '
    function random() { seed = seed * 16807 % 2147483647; return seed / 2147483647 }
    function put(device, type) { printf "%d,%s,%d,%s\n", 1699920000 + t, device, ++number[device], type }
    BEGIN {
      print "at,device,n,type"
      split("a b c", devices, " ")
      for (i = 0; i < 20; ++i) random()
      for (t = 0; t < 129600; ++t) for (d = 1; d <= 3; ++d) {
        if (entering[d]) put(devices[d], "entry")
        entering[d] = 0
        scans = random() < 0.1
        enters = random() < (t >= poor_from && t < poor_to ? share : 0.95)
        if (!scans || (t >= off && t < on)) continue
        if (devices[d] == quiet && t >= quiet_from && t < quiet_to) continue
        put(devices[d], "scan")
        entering[d] = enters
      }
    }'
}
set -- --stream device --sequence n --time at --time-as s

# Nothing is told of what is usual, in different streams of this kind.
for seed in 1 2 3; do
  shop 0 0 >"$work/clean.csv"
  for volume in '--volume 300' '--volume 300 --volume-by-stream'; do
    # shellcheck disable=SC2086
    "$recover" "$@" --type type $volume --silence --ratio scan=entry "$work/clean.csv" >"$work/out"
    ends_with 'missing=0 gaps=0 duplicates=0 rejected=0 unusual=0'
    tells '^  unusual +0$'
  done
done
seed=1
# Without these options the report has nothing of them.
"$recover" "$@" "$work/clean.csv" >"$work/out"
ends_with 'missing=0 gaps=0 duplicates=0 rejected=0'
[ "$(count unusual)" -eq 0 ] || bad "something is unusual that nobody asked for: $(cat "$work/out")"
"$recover" "$@" --json "$work/clean.csv" | tail -n 1 >"$work/out"
tells '"state_bytes":[0-9]+}$'

# The volume drops to zero for 30 minutes from 2023-11-15 06:00 on: six buckets, or some in each stream.
shop 108000 109800 >"$work/drop.csv"
"$recover" "$@" --volume 300 "$work/drop.csv" >"$work/out"
ends_with 'missing=0 gaps=0 duplicates=0 rejected=0 unusual=6'
tells '^  unusual +6  6 volumes$'
tells '^ +all streams: 2023-11-15T06:00:00Z, events in a bucket: 0 is below what is usual, '
tells '^ +and 1 more$'
"$recover" "$@" --volume 300 --json "$work/drop.csv" >"$work/out"
[ "$(count '"kind":"anomaly","of":"volume","at_ns":17000[0-9]+,"value":0.0,"score":[0-9.]+,"why":"events in a bucket: 0 is below')" -eq 6 ] ||
  bad "not 6 lines of JSON: $(grep anomaly "$work/out")"
tells '"state_bytes":[0-9]+,"unusual":6,"unusual_volumes":6,"silences":0,"silences_over":0,"unusual_ratios":0,"detectors_evicted":0}$'
"$recover" "$@" --volume 300 --volume-by-stream --json "$work/drop.csv" >"$work/out"
for device in a b c; do tells "\"kind\":\"anomaly\",\"of\":\"volume\",\"stream\":\"$device\",\"at_ns\":17000"; done

# One stream of three falls silent for an hour, and another one for good.
shop 0 0 b 108000 111600 >"$work/silent.csv"
"$recover" "$@" --silence "$work/silent.csv" >"$work/out"
ends_with 'missing=0 gaps=0 duplicates=0 rejected=0 unusual=1'
tells '^  unusual +1  1 silence$'
tells '^ +b: 2023-11-15T0[56]:[0-9:]+Z, seconds of silence: [0-9.]+ is above what is usual, '
"$recover" "$@" --silence --json "$work/silent.csv" >"$work/out"
tells '"kind":"anomaly","of":"silence","stream":"b","at_ns":'
[ "$(count '"kind":"anomaly","of":"silence"')" -gt 1 ] || bad "a silence that lasts is not told again"
[ "$(count '"kind":"silence_over","stream":"b","since_ns":1700[0-9]+,"until_ns":1700[0-9]+}')" -eq 1 ] ||
  bad "the end of the silence is not told once: $(grep silence "$work/out")"
tells '"unusual":1,"unusual_volumes":0,"silences":1,"silences_over":1,'
shop 0 0 c 128000 129600 >"$work/silent.csv"
"$recover" "$@" --silence "$work/silent.csv" >"$work/out"
tells '^  unusual +1  1 silence, of which 1 is not over$'
# Time ends with the input: who is silent then has not been so for long.
shop 129300 129600 >"$work/silent.csv"
"$recover" "$@" --volume 300 --silence "$work/silent.csv" >"$work/out"
ends_with 'missing=0 gaps=0 duplicates=0 rejected=0 unusual=0'

# 50 % instead of 95 % of the scans lead to an entry, for half an hour.
shop 0 0 '' 0 0 0.5 108000 109800 >"$work/ratio.csv"
"$recover" "$@" --type type --ratio scan=entry "$work/ratio.csv" >"$work/out"
tells '^  unusual +([6-9]|1[0-9])  [0-9]+ ratios$'
tells '^ +all streams: 2023-11-15T06:00:00Z, ratio: 0\.[456][0-9]* is below what is usual, 0\.[89]'
"$recover" "$@" --type type --ratio scan=entry --json "$work/ratio.csv" >"$work/out"
[ "$(count '"kind":"anomaly","of":"ratio","at_ns":17000[0-9]+,"value":0\.[456]')" -eq 6 ] ||
  bad "not 6 poor ratios: $(grep anomaly "$work/out")"
[ "$(count '"kind":"anomaly","of":"ratio","at_ns":1699')" -eq 0 ] || bad "ratios before are told: $(grep anomaly "$work/out")"

# What is not unlikely enough is not told.
"$recover" "$@" --type type --ratio scan=entry --anomaly-score 100 "$work/ratio.csv" >"$work/out"
ends_with 'missing=0 gaps=0 duplicates=0 rejected=0 unusual=0'

# All at once, and on the page.
shop 108000 109800 a 90000 93600 0.5 72000 73800 >"$work/all.csv"
"$recover" "$@" --type type --volume 300 --silence --ratio scan=entry "$work/all.csv" >"$work/out"
tells '^  unusual +[0-9]+  [0-9]+ volumes, [0-9]+ silences?, [0-9]+ ratios$'
if "$recover" "$@" --silence --html "$work/page.html" "$work/all.csv" >/dev/null 2>"$work/err"; then
  grep -q '"unusual":{"count":"[1-9]' "$work/page.html" || bad "the page has no sample of what is unusual"
  grep -qE '[0-9] stretch(es)? of time (is|are) unusual\.' "$work/page.html" || bad "the page's summary leaves it out"
elif ! grep -q libjs-chart.js "$work/err"; then
  bad "the page was not written: $(cat "$work/err")"
fi

# What is repeated does not count, however often it comes; without a key it is another event, and too many.
awk -F, '{ print } $1 >= 1700028000 && $1 < 1700028900 { print; print }' "$work/clean.csv" >"$work/repeated.csv"
set -- --stream device --time at --time-as s --volume 300
"$recover" "$@" --key device,n "$work/repeated.csv" >"$work/out"
tells '^  duplicates +[1-9]'
tells ' unusual=0$'
"$recover" "$@" "$work/repeated.csv" >"$work/out"
tells '^  unusual +3  3 volumes$'
tells '^ +all streams: 2023-11-15T06:00:00Z, events in a bucket: [0-9]+ is above what is usual, '

# An event whose bucket is over counts in none, and a person is told.
(cat "$work/clean.csv" && echo '1700000000,a,999999,scan') >"$work/late.csv"
"$recover" "$@" "$work/late.csv" >/dev/null 2>"$work/out"
tells '^recover: 1 event is in no bucket of --volume or --ratio, as time was past it; sort the input by time\.$'

# Input that nobody should write: no events, one event, times that leap to both ends and back.
printf 'at,device,n,type\n' >"$work/odd.csv"
set -- --stream device --sequence n --time at --time-as s --type type --volume 0.1 --silence --ratio scan=entry
"$recover" "$@" "$work/odd.csv" >"$work/out" || bad "no events ended with $?"
printf '5,a,1,scan\n' >>"$work/odd.csv"
"$recover" "$@" "$work/odd.csv" >"$work/out" || bad "one event ended with $?"
printf '%s\n' 9223372036,a,2,scan -9223372036,a,3,entry 1e30,b,1,scan -1e30,b,2,scan 7,a,4,entry ,a,5,scan >>"$work/odd.csv"
"$recover" "$@" "$work/odd.csv" >"$work/out" || bad "times at both ends ended with $?"
tells ' unusual=0$'

# What can't be meant.
refuses '--volume must be 100 ms to 24 hours, and this is 1 ms.' --time at --volume 0.001 "$work/drop.csv"
refuses '--volume must be a number above 0 of seconds' --time at --volume many "$work/drop.csv"
refuses '--volume needs --time' --volume 300 "$work/drop.csv"
refuses '--silence needs --time' --silence "$work/drop.csv"
refuses '--volume-by-stream needs --volume' --time at --stream device --silence --volume-by-stream "$work/drop.csv"
refuses '--volume-by-stream needs --stream' --time at --volume 300 --volume-by-stream "$work/drop.csv"
refuses '--ratio needs --type' --time at --ratio scan=entry "$work/drop.csv"
refuses '--ratio wants two types of events, A=B, and this is "scan".' --time at --type type --ratio scan "$work/drop.csv"
refuses '--ratio wants two types of events, A=B, and this is "".' --time at --type type --ratio '' "$work/drop.csv"
refuses '--type needs --infer or --ratio' --time at --type type --silence "$work/drop.csv"
refuses '--anomaly-score must be a number above 0 and at most 100, and this is "nan".' --time at --silence --anomaly-score nan "$work/drop.csv"
refuses '--anomaly-score needs --volume, --silence or --ratio' --sequence n --anomaly-score 5 "$work/drop.csv"
echo "recover tells what is unusual, and nothing else."
