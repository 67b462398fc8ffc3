#!/usr/bin/env bash
# People with one stick that goes round: identities, key generation, a signature of alice and bob, the record, codes.
# stick-session.sh PROGRAM EMPTY-FOLDER LINE-OF-THE-DRAFT alice bob …
set -euo pipefail
program=$1 dir=$2 line=$3
shift 3
cd "$dir"

as() { # PERSON COMMAND…: waiting for others (10) is as good as success
  local who=$1 exit=0
  shift
  node "$program" "$@" --home "home-$who" --passphrase-file pw --no-input --json > out.json || exit=$?
  if [ $exit -ne 0 ] && [ $exit -ne 10 ]; then
    echo "$who $*: exit $exit: $(cat out.json)" >&2
    return 1
  fi
}

printf 'plover-anvil-quartz-71\n' > pw
mkdir cards stick
for who in "$@"; do
  as "$who" init --name "$who" --rehearsal
  cp "home-$who/identity/$who.card" cards/
done
# a program that is traced says so and ends with 40
node "$program" doctor --home home-alice > doctor.txt || [ $? -eq 40 ]

cat > draft.yaml <<DRAFT
schema: mpc-ceremony/draft/1
kind: dkg
name: treasury
scheme: frost-ed25519
quorum: 2-of($(IFS=,; echo "$*"))
attended: false
expiresInDays: 3
program: pinned
$line
participants:
$(printf -- '  - name: %s\n' "$@")
DRAFT
as alice dkg --plan draft.yaml --cards cards --out stick/treasury-dkg
for who in "$@"; do
  [ "$who" = alice ] || as "$who" join stick/treasury-dkg
done
for _ in deal confirm finish; do
  for who in "$@"; do as "$who" next stick/treasury-dkg; done
done

printf 'pay nobody\n' > message
as alice intent create --key treasury --action message --file message --out pay.json
as alice sign --intent pay.json --signers alice,bob --out stick/sign-1 --unattended --pin-program
as bob join stick/sign-1
for _ in share finish; do
  for who in alice bob; do as "$who" next stick/sign-1; done
done
as bob transcript verify stick/treasury-dkg
as bob transcript verify stick/sign-1
as alice key export treasury --format pem

# the same without a stick: codes on a screen, and back
as alice qr show pay.json --gif codes.gif
as bob qr scan codes.gif --out scanned.json
cmp pay.json scanned.json
as bob qr page scan.html
