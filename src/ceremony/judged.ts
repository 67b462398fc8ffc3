/** Remembering the last judgement: a step asks several times about the same messages. */
import { closingOf, echo, type Inbound } from '../protocols/machine.ts';
import { toHex } from '../wire/bytes.ts';

/** Whether somebody refused: then everybody checks everything. */
export function someoneRefused(messages: Inbound): boolean {
  return [...messages.values()].some((m) => [...m.values()].some((e) => e.body.length === 3 && closingOf(e.body) === 'refuse'));
}

/**
 * A judge who remembers what it said about the messages it saw last.
 * @param judge told to check everything, also what is meant for others, where somebody has refused: then this participant
 *   finds out by itself who is to blame
 */
export function remembered<T>(judge: (messages: Inbound, everything: boolean) => Promise<T>): (messages: Inbound) => Promise<T> {
  let last: { key: string; verdict: Promise<T> } | undefined;
  return (messages) => {
    const key = [...messages].map(([slot, m]) => `${String(slot)}:${toHex(echo(m))}`).join();
    last = last?.key === key ? last : { key, verdict: judge(messages, someoneRefused(messages)) };
    return last.verdict;
  };
}
