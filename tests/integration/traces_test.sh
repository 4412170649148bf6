#!/bin/sh
# traces_test.sh RECOVER: real radio traces whose truth is known. They lie beside the project (../shared/data), or where
# RECOUP_TRACES says; their licences keep them out of it.
set -eu
recover=$1
traces=${RECOUP_TRACES:-$(cd "$(dirname "$0")/../.." && pwd)/../shared/data}
if [ ! -d "$traces" ]; then
  echo "Skipped: the traces are not at $traces; set RECOUP_TRACES to their folder."
  exit 77
fi
# trace WANTED PRESET FILE
trace() {
  said=$("$recover" --preset "$2" "$traces/$3" | tail -n 1)
  [ "$said" = "$1" ] || { echo "$3: $said; the truth is: $1" && exit 1; }
  "$recover" --preset "$2" --json "$traces/$3" | tail -n 1 |
    grep -qF "\"$(echo "$1" | sed 's/=/":/g;s/ /,"/g')," || { echo "$3 differs as JSON." && exit 1; }
  echo "$3: $said"
}
trace 'missing=818 gaps=592 duplicates=0 rejected=0' sigfox jsi_sigfox_30att.csv
trace 'missing=86 gaps=51 duplicates=79667 rejected=0' lorawan sainteynard_receptions.csv
trace 'missing=212 gaps=40 duplicates=242 rejected=0' ems tourperret_ems2.csv
