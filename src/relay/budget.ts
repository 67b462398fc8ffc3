/** Room that many share and that no one of them may take up alone: bytes of parts on their way into a relay. */

/** Room in bytes, of which each may have a share. */
export interface Budget {
  /**
   * Sets bytes aside for somebody, before the first of them has come.
   * @param who from {@link networkOf}
   * @returns what gives them back (once; more often does nothing), or undefined: there is no room now
   */
  take(who: string, bytes: number): (() => void) | undefined;
}

/**
 * @param most bytes in all
 * @param each bytes of one; who has nothing yet may have one thing of any size that fits in all
 */
export function budget(most: number, each: number): Budget {
  const had = new Map<string, number>();
  let total = 0;
  return {
    take: (who, bytes) => {
      const own = had.get(who) ?? 0;
      if (total + bytes > most || (own > 0 && own + bytes > each)) return undefined;
      total += bytes;
      had.set(who, own + bytes);
      let given = false;
      return () => {
        if (given) return;
        given = true;
        total -= bytes;
        const left = (had.get(who) ?? 0) - bytes;
        if (left > 0) had.set(who, left);
        else had.delete(who);
      };
    },
  };
}

/** Whom an address stands for: itself, or with IPv6 the first 64 bits, since whoever has one such address has all of them. */
export function networkOf(address: string | undefined): string {
  const plain = (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!plain.includes(':')) return plain;
  const [head = [], tail] = plain.split('::').map((part) => (part === '' ? [] : part.split(':')));
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  return [...head, ...Array<string>(zeros).fill('0'), ...(tail ?? [])].slice(0, 4).join(':');
}
