#!/usr/bin/env bash
# make judges: Google's analyzer of GoogleSQL (its first build takes minutes and gigabytes), and emulators from PyPI, each
# against the suites that our simulations pass. An emulator that cannot be installed is said to be absent; one that is there
# has to agree. What it is known not to do is left out by name; docs/conformance.md tells why.
set -uo pipefail
cd "$(dirname "$0")/.."
GO=${GO:-go}
ran=() absent=() failed=()

judge() { # name, package, tests, tests that it is known to fail
  if ! bash packaging/python-judge.sh "$1"; then
    absent+=("$1")
  elif "$GO" test -tags judges -count=1 -timeout 10m "$2" -run "$3" -skip "$4"; then
    ran+=("$1")
  else
    failed+=("$1")
  fi
}

if (cd tools/googlesql && "$GO" test -count=1 -p 1 -timeout 30m .); then ran+=(GoogleSQL); else failed+=(GoogleSQL); fi
judge bqemulator ./simcloud/google 'OfBqemulator' \
  'TestTheSuiteOfBqemulator/(Labels|Etag|QueryOfAbsent|MissingParameter|Errors|Location)'
judge moto ./outlaytest 'OfMoto' \
  'TestS3OfMoto/(Checksums|Owner)|TestS3SettingsOfMoto/(BirthTags|Malformed)|TestAccountOfMoto/(Signature|UnknownKey|SessionToken|Trust|ExternalID|Simulat|Refusals|AccountsOfMember|Reports)'
judge ministack ./outlaytest 'OfMinistack' \
  'TestS3OfMinistack/Owner|TestS3SettingsOfMinistack/Malformed|TestAccountOfMinistack/(WhoCannotBeSimulated|Member|Standalone)'

echo "judges that ran and agree: ${ran[*]:-none}; absent: ${absent[*]:-none}; disagree: ${failed[*]:-none}"
[ ${#failed[@]} -eq 0 ]
