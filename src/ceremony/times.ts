/** Times as they stand in plans, entries and statements. */

/** UTC to the second. */
export function utc(now: Date): string {
  return now.toISOString().replace(/\.\d+Z$/, 'Z');
}
