/** ULID: 48 bits of time and 80 random bits, as 26 characters of Crockford's base 32. Public, used once. */
import type { Random } from '../wire/random.ts';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

export function ulid(now: Date, random: Random): string {
  let value = (BigInt(now.getTime()) << 80n) | BigInt(`0x${Buffer.from(random(10)).toString('hex')}`);
  let text = '';
  for (let i = 0; i < 26; i++) {
    text = `${ALPHABET[Number(value & 31n)] as string}${text}`;
    value >>= 5n;
  }
  return text;
}
