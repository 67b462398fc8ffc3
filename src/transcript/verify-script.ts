/** VERIFY.txt: the check of a record for people who do not run this program. Derived from the plan alone. */
import type { Plan } from '../plan/plan.ts';
import { canonicalBytes, type Json } from '../wire/canon.ts';
import { VERIFY_BODY } from './verify-script-body.ts';

const HEADER = `#!/usr/bin/env bash
# Checks the record in this folder without mpc-ceremony:  bash VERIFY.txt
#
# Needs bash 4.4, jq, openssl 1.1.1, sha256sum, base64, od, head, tail, wc,
# mktemp and rm.
# Checked: every transcript entry (form, signature, chain), what participants
# saw of each other, every message (signature, record, dependencies), the
# certificate and its confirmations, intent and message, the final signature
# where openssl knows its kind, SHA256SUMS.
# Exit: 0 verified, 1 wrong, 2 something is missing, 3 cannot run here.
#
# The plan that everybody joined, as canonical JSON in base64. Its digest is the
# session id that every transcript must name; the keys come from it. Whoever
# doubts this file makes another one: it depends on the plan alone.
`;

/** The script for the ceremony of a plan. The same plan gives the same bytes. */
export function verifyScript(plan: Plan): string {
  const base64 = Buffer.from(canonicalBytes(plan as unknown as Json)).toString('base64');
  const lines = base64.match(/.{1,76}/g) ?? [];
  return `${HEADER}PLAN='\n${lines.join('\n')}\n'\n\n${VERIFY_BODY}`;
}
