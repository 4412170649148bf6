#!/bin/sh
# Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#
# page_test.sh RECOVER | PAGE.html: opens a page of recover in headless Chromium, light and dark, wide and narrow, and
# fails where the page says anything on the console, does not finish drawing, or looks as blank as an empty page.
# Without a page, RECOVER writes one of its demo. The screenshots stay in $RECOUP_SCREENSHOTS, where that is set.
# Exit code 77: skipped, as there is no Chromium.
set -eu

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -z "$browser" ]; then
  echo "Skipped: the page is checked in Chromium, and none is installed (chromium on Debian)."
  exit 77
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
shots=${RECOUP_SCREENSHOTS:-$work}
mkdir -p "$shots"

fail() {
  echo "Failed: $1" >&2
  exit 1
}

case $1 in
  *.html) cp "$1" "$work/page.html" ;;
  *)
    status=0
    "$1" --demo --html "$work/page.html" > "$work/report" 2>&1 || status=$?
    if [ "$status" -ne 0 ] && grep -q libjs-chart.js "$work/report"; then
      echo "Skipped: recover was built without Chart.js."
      exit 77
    fi
    [ "$status" -eq 0 ] || { cat "$work/report" >&2; fail "$1 --demo --html ended with $status."; }
    ;;
esac
[ -s "$work/page.html" ] || fail "no page was written."
echo '<!DOCTYPE html><title>empty</title>' > "$work/empty.html"

# open NAME OUTPUT FLAG...
open() {
  page=$1
  output=$2
  shift 2
  rm -rf "$work/profile"
  timeout 60 "$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
    --disable-background-networking --disable-component-update --disable-sync --hide-scrollbars \
    --user-data-dir="$work/profile" --enable-logging=stderr --v=0 "$@" "file://$work/$page.html" \
    > "$output" 2> "$output.log" || { cat "$output.log" >&2; fail "Chromium ended with an error."; }
  if grep CONSOLE "$output.log" >&2; then fail "the page has messages on the console (above)."; fi
}
size() { wc -c < "$1"; }

open page "$work/dom" --dump-dom
grep -q 'data-drawn="true"' "$work/dom" || fail "the page's script did not come to its end."

for window in 1400,1800 400,1800; do
  open empty "$work/out" --window-size=$window --screenshot="$work/empty.png"
  for scheme in 0 1; do # dark, light
    shot=$shots/page-${window%,*}-$([ $scheme = 0 ] && echo dark || echo light).png
    open page "$work/out" --window-size=$window --blink-settings=preferredColorScheme=$scheme --screenshot="$shot"
    [ -s "$shot" ] || fail "no screenshot was taken ($shot)."
    [ "$(size "$shot")" -gt $((4 * $(size "$work/empty.png"))) ] || fail "the page is blank ($shot)."
    echo "$shot: $(size "$shot") bytes; an empty page: $(size "$work/empty.png")"
  done
  cmp -s "$shots/page-${window%,*}-dark.png" "$shots/page-${window%,*}-light.png" && fail "dark and light look the same."
done
echo "The page is drawn, light and dark, wide and narrow, and silent."
