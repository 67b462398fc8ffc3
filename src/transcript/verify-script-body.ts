/**
 * VERIFY.txt without its plan: a bash script with few and common tools, so that a record can be checked without this
 * program. In this text `$\{` stands for the shell's own braces, which TypeScript would otherwise fill in.
 * Whoever holds a key may sign anything: no text from a transcript is evaluated before it is known to be plain.
 */
export const VERIFY_BODY: string = String.raw`set -u; export LC_ALL=C
[ $((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1])) -ge 404 ] || { echo "needs bash 4.4 or newer"; exit 3; }
for tool in jq openssl sha256sum base64 od head tail wc mktemp rm; do
  command -v "$tool" >/dev/null || { echo "needs $tool"; exit 3; }
done
shopt -s nullglob
case "$0" in */*) cd "$\{0%/*}" || exit 3 ;; esac
tmp=$(mktemp -d) || exit 3; trap 'rm -rf "$tmp"' EXIT

declare -i wrong=0 missing=0 entries=0 messages=0
# what is shown may come from a hostile file
bad() { printf 'WRONG    %s\n' "$\{*//[^[:print:]]/?}"; wrong+=1; }
lacks() { printf 'MISSING  %s\n' "$\{*//[^[:print:]]/?}"; missing+=1; }
note() { printf 'note     %s\n' "$\{*//[^[:print:]]/?}"; }

# --- bytes ---------------------------------------------------------------
# hex digits to bytes; bytes of stdin to hex digits; SHA-256 of stdin
unhex() {
  local part out i
  while read -r -N 128 part || [ -n "$part" ]; do
    part=$\{part%$'\n'} out=
    for ((i = 0; i < $\{#part}; i += 2)); do out+="\\x$\{part:i:2}"; done
    printf '%b' "$out"
  done <<<"$1"
}
tohex() { local o; o=$(od -An -v -tx1); printf '%s' "$\{o//[[:space:]]/}"; }
sha() { local h; read -r h _ < <(sha256sum); printf '%s' "$h"; }
shafile() { sha <"$1"; }
# the injective form in which things are hashed and signed: type, length, contents
asbytes() { printf '01%08x%s' $(($\{#1} / 2)) "$1"; }
asnumber() { printf '0300000004%08x' "$1"; }
astext() {
  local i c out=
  for ((i = 0; i < $\{#1}; i++)); do printf -v c '%02x' "'$\{1:i:1}"; out+=$c; done
  printf '02%08x%s' "$\{#1}" "$out"
}
# tagged hash: sha256(sha256(tag) sha256(tag) stdin)
tagged() { local t; t=$(printf 'mpc-ceremony/%s' "$1" | sha); { unhex "$t$t"; jq -j "$canon $2|canon" "$3"; } | sha; }
# Ed25519: key file; the message is in $tmp/m, the signature in $tmp/s
signed() { openssl pkeyutl -verify -pubin -keyform DER -inkey "$1" -rawin -in "$tmp/m" -sigfile "$tmp/s" >/dev/null 2>&1; }
keyfile() { unhex "302a300506032b6570032100$2" >"$tmp/$1"; }
# canonical JSON; a file must be its own canonical form
canon='def canon: if type == "object" then "{" + ([keys[] as $k | ($k|tojson) + ":" + (.[$k]|canon)] | join(",")) + "}"
  elif type == "array" then "[" + (map(canon) | join(",")) + "]" else tojson end;'
iscanon() { [ "$(jq -j "$canon canon" "$1" 2>/dev/null | sha)" = "$(shafile "$1")" ] || { bad "$1 is damaged or not in canonical form"; return 1; }; }

# --- the plan ------------------------------------------------------------
plan() { base64 -d <<<"$PLAN" | jq -r "$1"; }
size=$(base64 -d <<<"$PLAN" | tohex); size=$(($\{#size} / 2))
sid=$({ unhex "0400000002$(astext mpc-ceremony/session/v1)$(printf '01%08x' "$size")"; base64 -d <<<"$PLAN"; } | sha)
# everybody with a seat: who receives or signs, then dealers who leave. Where an epoch is made, seats are numbered in this
# order; where one is used, by leaf
seated='(.participants as $p | $p + [.dealers // [] | .[] | select(.name as $n | $p | all(.name != $n))])'
roster=$(base64 -d <<<"$PLAN" | jq -j "$canon $seated|canon" | tohex)
roster=$(unhex "0400000002$(astext mpc-ceremony/roster/v1)$(asbytes "$roster")" | sha)
kind=$(plan .kind) attempt=$(plan .attempt) scheme=$(plan '.scheme // .source.scheme // .key.scheme') makes=$(plan 'has("rank")')
id=$\{sid:0:32}
declare -A KEYID LEAF NAME OWNER DEALS
authors=() seats=()
while IFS='|' read -r leaf name key; do
  authors+=("$name"); keyfile "key.$name" "$key"
  h=$(unhex "$key" | sha); KEYID[$name]=$\{h:0:16}
  if [ "$leaf" != 0 ]; then seats+=("$name"); LEAF[$name]=$leaf; NAME[$leaf]=$name; OWNER[k$key]=$name; fi
done < <(plan 'has("rank") as $makes | ('"$seated"' | to_entries[] | "\(if $makes then .key + 1 else .value.leaf end)|\(.value.name)|\(.value.identity)"), (.witnesses // [] | .[] | "0|\(.name)|\(.identity)")')
members=$(plan '.participants|length') dealers=$(plan '.dealers // []|length')
while read -r name; do [ -z "$name" ] || DEALS[$name]=1; done < <(plan '.dealers // [] | .[].name')
# the rounds up to a good end; the closing round, where somebody may end the attempt instead; the round of the deals
stocked=$(plan '.participants[0].stock != null') presignature=$(plan '.presignature // ""')
case "$kind:$scheme" in
  dkg:cggmp24-*) slots=(1 2 3 4) ;;
  dkg:*) slots=(1 2 3) ;;
  refresh:cggmp24-* | reshare:cggmp24-* | import:cggmp24-*) slots=(1 2 3 4) ;;
  refresh:* | reshare:* | import:*) slots=(1 2) ;;
  presign:*) slots=(1 2 3) ;;
  *:cggmp24-*) if [ -n "$presignature" ]; then slots=(4); elif [ "$stocked" = true ]; then slots=(2 3 4); else slots=(1 2 3 4); fi ;;
  *) if [ "$stocked" = true ]; then slots=(2); else slots=(1 2); fi ;;
esac
final=$\{slots[$\{#slots[@]} - 1]} last=$\{slots[$\{#slots[@]} - 1]} deal=1
[ "$kind" = dkg ] && deal=2
[ "$kind" = presign ] && last=4
# round, name: whether a good end needs its message there. Where shares are given on, dealers deal (and receivers of an
# ECDSA key commit beside them), and whoever receives says all the rest
speaks() {
  [ "$dealers" -gt 0 ] || return 0
  if [ "$1" != "$deal" ]; then [ "$\{LEAF[$2]}" -le "$members" ]; return; fi
  [ -n "$\{DEALS[$2]:-}" ] || [ "$\{scheme:0:7}" = cggmp24 ]
}
# name: the last round in which it speaks on the way to a good end
lastof() { if speaks "$final" "$1"; then echo "$final"; else echo "$deal"; fi; }
printf 'Ceremony %s (%s %s, attempt %s)\n' "$id" "$kind" "$(plan .name)" "$attempt"

# --- transcripts: form, signatures, chains -------------------------------
declare -A HASH COUNT SENT FILE
opened=() closed=() saw=() depends=() certified=() presigned=() signatures=() gates=() points=() ended=() destroyed=()
line='. as $line | try (fromjson | . as $e | ($e.payload|@base64d) as $t | ($t|fromjson) as $p
  | if "{\"payload\":\"\($t|@base64)\",\"payloadType\":\"\($type)\",\"signatures\":[{\"keyid\":\"\($p.key)\",\"sig\":\"\($e.signatures[0].sig)\"}]}" != $line
      or ($p|canon) != $t
      or ([$p | .. | strings, (objects | keys[])] | all(test("^[A-Za-z0-9:._-]*$")) | not)
      or ([$p | .. | numbers] | all(. == floor and . >= 0 and . <= 9007199254740991) | not)
      or (($p.seq|type) != "number") or (($p.slot // 0|type) != "number") then error else
    [$p.author, $p.ceremony, $p.key, $p.seq, $p.prev, $p.kind, $e.signatures[0].sig,
     $p.slot, $p.message, $p.subject.sha256, $p.plan, $p.roster, $p.epoch, $p.result, $p.intent, $p.request, $p.allow, $p.evidence,
     ([$p.seen // {} | to_entries[] | "\(.key):\(.value.seq):\(.value.hash)"] | join(" ")),
     ([$p.inputs // {} | to_entries[] | "\(.key):\(.value)"] | join(" ")), $t] | map(tostring) | join("|") end) catch "damaged"'
type=application/vnd.mpc-ceremony.entry.v1+json
for f in transcript/*.jsonl; do
  mapfile raw <"$f"
  [ "$\{#raw[@]}" -gt 0 ] && [ "$\{raw[$\{#raw[@]} - 1]: -1}" = $'\n' ] || bad "$f is empty or cut off"
  declare -i n=0 next=1
  prev=$(printf '%064d' 0) owner=
  while IFS='|' read -r author ceremony keyid seq before what sig slot message subject joined people epoch result intent request allow evidence seen inputs text; do
    n+=1
    if [ "$author" = damaged ]; then bad "$f line $n is damaged"; continue; fi
    if [ -z "$\{KEYID[$author]:-}" ]; then bad "$f line $n: $author has no part in this plan"; continue; fi
    read -r hash _ < <(printf '%s' "$text" | sha256sum)
    printf 'DSSEv1 %d %s %d %s' "$\{#type}" "$type" "$\{#text}" "$text" >"$tmp/m"
    base64 -d <<<"$sig" >"$tmp/s" 2>/dev/null
    [ "$keyid" = "$\{KEYID[$author]}" ] && signed "$tmp/key.$author" || { bad "BAD SIGNATURE $author:$seq ($f line $n)"; continue; }
    owner=$\{owner:-$author}
    [ "$author" = "$owner" ] || bad "$f line $n is by $author, in a file of $owner"
    [ "$ceremony" = "$id" ] || bad "$author:$seq belongs to another ceremony"
    [ "$seq" = "$next" ] || bad "GAP $author expected $next got $seq"
    [ "$before" = "$prev" ] || bad "BROKEN CHAIN $author at $seq"
    prev=$hash; next=seq+1
    at=$author:$seq
    if [ -n "$\{HASH[$at]:-}" ]; then
      [ "$\{HASH[$at]}" = "$hash" ] || bad "FORK by $author at seq $seq: $\{HASH[$at]:0:16} in $\{FILE[$at]}, $\{hash:0:16} in $f"
      continue
    fi
    HASH[$at]=$hash; FILE[$at]=$f; entries+=1
    [ "$seq" -gt "$\{COUNT[$author]:-0}" ] && COUNT[$author]=$seq
    for s in $seen; do saw+=("$at:$s"); done
    case "$what" in
      open)
        opened+=("$subject")
        [ "$seq" = 1 ] && [ "$joined" = "$sid" ] && [ "$people" = "$roster" ] || bad "$at opens another plan or roster" ;;
      sent)
        [ -z "$\{SENT[$author:$slot]:-}" ] || bad "EQUIVOCATION $author recorded two messages of round $slot"
        SENT[$author:$slot]=$subject
        # a complaint is about the deals, whatever round has come since
        if [ "$message" = complaint ]; then round=$deal; else round=$((slot - 1)); fi
        for i in $inputs; do depends+=("$at:$round:$i"); done ;;
      certificate) certified+=("$at $epoch $result") ;;
      destroyed) destroyed+=("$at $epoch") ;;
      presigned) presigned+=("$at $epoch $result") ;;
      signature) signatures+=("$at $intent $subject") ;;
      gate) gates+=("$at $intent $allow") ;;
      aborted | refused) ended+=("$at $what") ;;
    esac
    [ "$evidence" = null ] || points+=("$at $evidence")
    [ "$what" = blamed ] && ended+=("$at $what")
  done < <(jq -R -r --arg type "$type" "$canon $line" "$f")
done
for name in "$\{authors[@]}"; do [ -n "$\{COUNT[$name]:-}" ] || lacks "transcript/$name.jsonl"; done
for s in "$\{saw[@]}"; do
  IFS=: read -r by at name seq hash <<<"$s"
  if [ -z "$\{HASH[$name:$seq]:-}" ]; then lacks "OMITTED $name:$seq seen by $by:$at"
  elif [ "$\{HASH[$name:$seq]}" != "$hash" ]; then bad "$by:$at has seen another $name:$seq than the one here"; fi
done
if [ "$\{#opened[@]}" -gt 0 ]; then
  if [ ! -f PLAN.yaml ]; then lacks PLAN.yaml
  else
    h=$(shafile PLAN.yaml)
    [[ " $\{opened[*]} " == *" $h "* ]] || bad "PLAN.yaml is not the file that was joined"
  fi
fi

# --- messages: signatures, heads, records --------------------------------
declare -A BLOB; blobtag=$(astext mpc-ceremony/blob/v1)
# file, session, kind, attempt, key file, name: checks the signature; sets slot, leaf, headseq, headhash, and body to how
# the body begins: no more of it is read than echoes of 64 participants and what stands around them
blob() {
  local h n
  n=$(wc -c <"$1"); n=$((n))
  [ "$n" -ge 119 ] || return 1
  h=$(head -c 2200 "$1" | tohex)
  [ "$\{h:0:2}" = 01 ] && [ "$\{h:2:32}" = "$\{2:0:32}" ] || return 1
  slot=$((16#$\{h:34:2})) leaf=$((16#$\{h:36:2})) headseq=$((16#$\{h:38:8})) headhash=$\{h:46:64}
  body=$\{h:110}; [ $\{#body} -le $((2 * n - 238)) ] || body=$\{body:0:$((2 * n - 238))}
  local name=$\{6:-$\{NAME[$leaf]:-}}
  [ -n "$name" ] || return 1
  local inner; read -r inner _ < <(tail -c +56 "$1" | head -c $((n - 119)) | sha256sum)
  unhex "040000000a$blobtag$(asbytes "$2")$(astext "$3")$(asnumber "$4")$(asnumber "$slot")$(asnumber "$leaf")$(astext "$name")$(asnumber "$headseq")$(asbytes "$headhash")$(asbytes "$inner")" >"$tmp/m"
  tail -c 64 "$1" >"$tmp/s"
  signed "$\{5:-$tmp/key.$name}"
}
for f in round-*/*; do
  [ -f "$f" ] || continue
  if ! blob "$f" "$sid" "$kind" "$attempt" "" ""; then bad "$f is damaged, foreign or forged"; continue; fi
  name=$\{NAME[$leaf]} hash=$(shafile "$f")
  if [ -n "$\{BLOB[$slot:$leaf]:-}" ]; then
    [ "$\{BLOB[$slot:$leaf]}" = "$hash" ] || bad "EQUIVOCATION by $name: two different messages of round $slot"
    continue
  fi
  BLOB[$slot:$leaf]=$hash; messages+=1
  if [ -z "$\{HASH[$name:$headseq]:-}" ]; then lacks "OMITTED $name:$headseq seen by $f"
  elif [ "$\{HASH[$name:$headseq]}" != "$headhash" ]; then bad "FORK by $name at seq $headseq: $f names another entry"; fi
  if [ -z "$\{SENT[$name:$slot]:-}" ]; then
    # the last message of a seat seals its chain up to its head; the entry that records it may be missing like all that follow
    [ "$slot" = "$(lastof "$name")" ] && { [ "$slot" != "$last" ] || [ "$\{body:0:2}" = 01 ]; } || lacks "OMITTED the entry of $name that records $f"
  elif [ "$\{SENT[$name:$slot]}" != "$hash" ]; then bad "EQUIVOCATION by $name: its transcript records another message than $f"; fi
  if ! speaks "$slot" "$name"; then
    { [ "$slot" = "$last" ] && { [ "$\{body:0:2}" = 03 ] || [ "$\{body:0:2}" = 04 ]; }; } || bad "$name spoke in round $slot, in which it has nothing to say"
  fi
  if [ "$slot" != "$last" ]; then continue; fi
  if [ "$\{body:0:2}" = 01 ]; then closed+=("$name"); else ended+=("$name refused, complained, traced or abandoned ($f)"); fi
done
for s in "$\{!SENT[@]}"; do
  name=$\{s%:*} slot=$\{s#*:}
  [ -n "$\{BLOB[$slot:$\{LEAF[$name]:-0}]:-}" ] || lacks "round-$slot/$name.blob"
done
for s in "$\{depends[@]}"; do
  IFS=: read -r by at slot name hash <<<"$s"
  got=$\{BLOB[$slot:$\{LEAF[$name]:-0}]:-}
  if [ -z "$got" ]; then lacks "round-$slot/$name.blob, which $by:$at depends on"
  elif [ "$got" != "$hash" ]; then bad "$by:$at depends on another message of $name in round $slot"; fi
done
for slot in "$\{slots[@]}"; do
  for name in "$\{seats[@]}"; do speaks "$slot" "$name" || continue; [ -n "$\{BLOB[$slot:$\{LEAF[$name]}]:-}" ] || [ -n "$\{SENT[$name:$slot]:-}" ] || lacks "round-$slot/$name.blob"; done
done

# --- certificate ---------------------------------------------------------
# file: every confirmation is signed, and confirms this epoch and these dealings; sets digest
certificate() {
  local session who key n=0 echo h c at confirm
  iscanon "$1" || return 1
  jq -e 'keys == ["confirms", "epoch", "type", "v"] and .type == "mpc-ceremony/certificate" and .v == 1' "$1" >/dev/null || bad "$1 is no certificate"
  digest=$(tagged epoch/v1 .epoch "$1")
  session=$(jq -r .epoch.session "$1") at=$(jq -r .epoch.attempt "$1")
  confirm=$(jq -r 'if .epoch.rounds.prove then 4 elif .epoch.kind == "dkg" then 3 else 2 end' "$1")
  # in the order of seats: those who received, then dealers who left
  echo=$(jq -r '.epoch as $e | [$e.roster[].name] as $in | [($in + (($e.dealers // []) - $in))[] | ($e.rounds.prove // $e.rounds.deal)[.] // ""] | join("")' "$1")
  while read -r who key; do
    keyfile confirmer "$key"
    c=$(jq -r --argjson n "$n" '.confirms[$n] // ""' "$1"); n=$((n + 1))
    base64 -d <<<"$c" >"$tmp/c" 2>/dev/null
    if ! blob "$tmp/c" "$session" "$(jq -r .epoch.kind "$1")" "$at" "$tmp/confirmer" "$who" || [ "$leaf" != "$n" ] || [ "$slot" != "$confirm" ]; then bad "$1: the confirmation of $who is missing or not signed by it"; continue; fi
    [ "$\{body:0:$((66 + $\{#echo}))}" = "01$echo$digest" ] || bad "$1: $who confirmed something else"
    h=$(shafile "$tmp/c")
    if [ "$session" = "$sid" ] && [ -n "$\{BLOB[$confirm:$leaf]:-}" ] && [ "$\{BLOB[$confirm:$leaf]}" != "$h" ]; then bad "EQUIVOCATION by $who: $1 holds another confirmation than round-$confirm"; fi
  done < <(jq -r '.epoch.roster[] | "\(.name) \(.identity)"' "$1")
  [ "$n" = "$(jq '.confirms|length' "$1")" ] || bad "$1: there are confirmations of nobody"
}
# --- the key that is used, refreshed or handed on ------------------------
key=
if [ "$(plan 'has("key")')" = true ]; then
  f=base/certificate.json
  if [ ! -f "$f" ]; then lacks "$f"
  elif certificate "$f"; then
    [ "$digest" = "$(plan .key.certificate)" ] || bad "$f is of another epoch than the plan names"
    key=$(jq -r .epoch.publicKey "$f")
  fi
fi
[ "$kind" = import ] && key=$(plan .source.publicKey)

# --- the epoch that is made ----------------------------------------------
if [ "$makes" = true ]; then
  f=transcript/certificate.json before=$key
  if [ ! -f "$f" ]; then lacks "$f"
  elif certificate "$f"; then
    h=$(shafile "$f")
    [ "$(jq -r .epoch.session "$f")" = "$sid" ] || bad "$f is of another ceremony"
    [ "$(jq -c '[.epoch.roster[] | [.name, .identity]]' "$f")" = "$(plan '[.participants[] | [.name, .identity]] | tojson')" ] || bad "$f has another roster than the plan"
    [ "$(jq -r '.epoch | "\(.kind) \(.number) \(.base.epoch // "")"' "$f")" = "$(plan '"\(.kind) \(.rank) \(.key.certificate // "")"')" ] || bad "$f is of another kind or rank than the plan, or builds on another epoch"
    if [ "$kind" = dkg ]; then rounds=(commit:1 deal:2 prove:3); else rounds=(deal:1 reveal:2 prove:3); fi
    for r in "$\{rounds[@]}"; do
      while read -r name hash; do
        got=$\{BLOB[$\{r#*:}:$\{LEAF[$name]:-0}]:-}
        [ -z "$got" ] || [ "$got" = "$hash" ] || bad "$f names another $\{r%:*} of $name"
      done < <(jq -r ".epoch.rounds.$\{r%:*} // {} | to_entries[] | \"\(.key) \(.value)\"" "$f")
    done
    for s in "$\{certified[@]}"; do
      read -r at epoch result <<<"$s"
      [ "$epoch" = "$digest" ] && [ "$result" = "$h" ] || bad "$at recorded another certificate than $f"
    done
    key=$(jq -r .epoch.publicKey "$f")
    [ "$key" = "$\{before:-$key}" ] || bad "$f has another public key than before"
    [ "$(jq -r '.epoch.born // ""' "$f")" != whole ] || note "this key was born whole: it was imported, and copies elsewhere may exist"
  fi
  # nobody can prove destruction: what is said about it is told, and is no fault where it is missing
  declare -A GONE
  for s in "$\{destroyed[@]}"; do
    read -r at epoch <<<"$s"
    [ "$epoch" = "$(plan '.key.certificate // ""')" ] || bad "$at recorded the destruction of another epoch"
    GONE[$\{at%:*}]=1
  done
  if [ -n "$before" ] && [ "$kind" != import ]; then
    while read -r name k; do
      [ -n "$\{OWNER[k$k]:-}" ] && [ -n "$\{GONE[$\{OWNER[k$k]}]:-}" ] || note "no transcript here records that $name destroyed its share of the epoch before"
    done < <(jq -r '.epoch.roster[] | "\(.name) \(.identity)"' base/certificate.json 2>/dev/null)
  fi
fi

# --- presignatures -------------------------------------------------------
first=
for s in "$\{presigned[@]}"; do
  read -r at epoch result <<<"$s"
  [ "$epoch" = "$(plan .key.certificate)" ] || bad "$at recorded presignatures of another epoch"
  [ "$\{first:=$result}" = "$result" ] || bad "$at recorded other presignatures than others did"
done
if [ -n "$presignature" ]; then
  f=base/presignature.json
  if [ ! -f "$f" ]; then lacks "$f"
  elif iscanon "$f"; then
    [ "$(tagged presignature/v1 . "$f")" = "$presignature" ] || bad "$f is not the presignature that the plan names"
    [ "$(jq -r .epoch "$f")" = "$(plan .key.certificate)" ] || bad "$f is of another epoch than the plan names"
  fi
fi

# --- intent and signature ------------------------------------------------
if [ "$kind" = sign ]; then
  want=$(plan .intent) f=intent.json
  if [ ! -f "$f" ]; then lacks "$f"
  elif iscanon "$f"; then
    jq -e 'keys == ["intent", "signature"]' "$f" >/dev/null || bad "$f is no intent"
    h=$(tagged intent/v1 .intent "$f")
    [ "$h" = "$want" ] || bad "$f is not the intent that the plan names"
    keyfile initiator "$(jq -r .intent.initiator.identity "$f")"
    unhex "$h" >"$tmp/m"
    unhex "$(jq -r .signature "$f")" >"$tmp/s"
    signed "$tmp/initiator" || bad "$f is not signed by its initiator"
    if [ ! -f message.bin ]; then lacks message.bin
    elif [ "$(shafile message.bin)" != "$(jq -r .intent.payload.sha256 "$f")" ]; then bad "message.bin is not the message of the intent"; fi
  fi
  for name in "$\{closed[@]}"; do [[ " $\{gates[*]} " == *" $name:"*" $want true "* ]] || lacks "the decision of the gate of $name before its share"; done
  for s in "$\{gates[@]}"; do read -r at intent allow <<<"$s"; [ "$intent" = "$want" ] || bad "$at decided on another intent"; done
  if [ ! -f signature.bin ]; then lacks signature.bin
  else
    h=$(shafile signature.bin)
    for s in "$\{signatures[@]}"; do read -r at intent subject <<<"$s"; [ "$subject" = "$h" ] && [ "$intent" = "$want" ] || bad "$at recorded another signature than signature.bin"; done
    if [ ! -f signature.json ]; then lacks signature.json
    elif iscanon signature.json; then
      [ "$(jq -r '"\(.signature) \(.ceremony) \(.intent) \(.message.sha256)"' signature.json)" = "$(tohex <signature.bin) $id $want $(shafile message.bin)" ] || bad "signature.json does not belong to this record"
    fi
    # the key as openssl reads it. Taproot and derived keys follow from the key of the certificate by more than a hash
    case "$scheme" in
      frost-ed25519) spki=302a300506032b6570032100 ;;
      frost-ed448) spki=3043300506032b6571033a00 ;;
      cggmp24-secp256k1) spki=3036301006072a8648ce3d020106052b8104000a032200 ;;
      cggmp24-p256) spki=3039301306072a8648ce3d020106082a8648ce3d030107032200 ;;
      *) spki= ;;
    esac
    path=$(jq -r '.intent.path // "m"' intent.json 2>/dev/null)
    if [ "$path" != m ] && [ -f signature.json ]; then
      key=$(jq -r '.publicKey' signature.json)
      note "path $path: that $key is derived from the key of the certificate was not checked here"
    fi
    [ -z "$spki$key" ] || unhex "$spki$key" >"$tmp/key"
    # what is signed: the message itself, or for ECDSA its hash
    input=(-rawin -in message.bin)
    if [ "$\{scheme:0:7}" = cggmp24 ]; then
      input=(-in "$tmp/hash")
      case $(jq -r 'if .intent.action == "digest" then "none" else .intent.payload.hash end' intent.json 2>/dev/null) in
        none) tohex <message.bin ;;
        sha256) shafile message.bin ;;
        # OpenSSL 3.2 and newer
        keccak256) openssl dgst -KECCAK-256 -r message.bin 2>/dev/null | head -c 64 ;;
      esac >"$tmp/hex"
      unhex "$(head -c 64 "$tmp/hex")" >"$tmp/hash"
    fi
    if [ -z "$spki" ] || ! openssl pkey -pubin -inform DER -in "$tmp/key" -noout 2>/dev/null; then note "openssl knows no signatures of $scheme: the signature itself was not checked here"
    elif [ -n "$key" ] && [ -f message.bin ]; then
      if [ ! -s "$tmp/hash" ] && [ "$\{scheme:0:7}" = cggmp24 ]; then note "openssl cannot make the hash that the intent names: the signature itself was not checked here"
      elif openssl pkeyutl -verify -pubin -keyform DER -inkey "$tmp/key" "$\{input[@]}" -sigfile signature.bin >/dev/null 2>&1; then note "openssl verified signature.bin under the key $key"
      else bad "signature.bin does not verify under the key $key"; fi
    fi
  fi
fi

# --- evidence, sums, end -------------------------------------------------
declare -A THERE
for f in evidence/*; do [ -f "$f" ] && THERE[$(shafile "$f")]=$f; done
for s in "$\{points[@]}"; do read -r at hash <<<"$s"; [ -n "$\{THERE[$hash]:-}" ] || lacks "the evidence that $at points at (sha256 $\{hash:0:16})"; done
if [ -f SHA256SUMS ]; then
  while read -r hash f; do
    case "/$f/" in */../* | //*) bad "SHA256SUMS names a file outside"; continue ;; esac
    if [ ! -f "$f" ]; then lacks "$f (in SHA256SUMS)"
    elif [ "$(shafile "$f")" != "$hash" ]; then
      case "$f" in
        transcript/*.jsonl | evidence/*) note "$f is not the copy that SHA256SUMS was made from: records may grow" ;;
        *) bad "CHANGED $f (SHA256SUMS)" ;;
      esac
    fi
  done <SHA256SUMS
fi
for s in "$\{ended[@]}"; do lacks "the end: $s"; done
printf '%d entries, %d messages: form, signatures, links and hashes checked\n' "$entries" "$messages"
note 'commitments, sealings, proofs and signature shares are recomputed by: mpc-ceremony transcript verify'
if [ "$wrong" -gt 0 ]; then echo "WRONG: $wrong, missing: $missing"; exit 1; fi
if [ "$missing" -gt 0 ]; then echo "CANNOT TELL: $missing missing"; exit 2; fi
echo 'VERIFIED'
`.replaceAll('$\\{', '${');
