/**
 * Bytewords in their minimal form (BCR-2020-012): each byte as the first and last letter of its word, and at the end the
 * CRC-32 of all, big-endian, in the same letters. Two letters for a byte, all in the alphabet of a code's alphanumeric mode.
 */
import { crc32 } from './crc32.ts';

/** The letters of all 256 words (able acid also … zone zoom), two each, in the order of the bytes. */
const LETTERS =
  'AEADAOAXAAAHAMATAYASBKBDBNBTBABSBEBYBGBWBBBZCMCHCSCFCYCWCECACKCTCXCLCPCNDKDADSDIDEDTDRDNDWDPDMDLDYEHEYEOEEECENEMETESFTFRFNFSFMFH' +
  'FZFPFWFXFYFEFGFLFDGAGEGRGSGTGLGWGDGYGMGUGHGOHFHGHDHKHTHPHHHLHYHEHNHSIDIAIEIHIYIOISINIMJEJZJNJTJLJOJSJPJKJYKPKOKTKSKKKNKGKEKIKBLB' +
  'LALYLFLSLRLPLNLTLOLDLELULKLGMNMYMHMEMOMUMWMDMTMSMKNLNYNDNSNTNNNENBOYOEOTOXONOLOSPDPTPKPYPSPMPLPEPFPAPRQDQZRERPRLRORHRDRKRFRYRNRS' +
  'RTSESASRSSSKSWSTSPSOSGSBSFSNTOTKTITTTDTETYTLTBTSTPTATNUYUOUTUEURVTVYVOVLVEVWVAVDVSWLWDWMWPWEWYWSWTWNWZWFWKYKYNYLYAYTZSZOZTZCZEZM';

const PAIRS: readonly string[] = Array.from({ length: 256 }, (_, byte) => LETTERS.slice(2 * byte, 2 * byte + 2));
const A = 0x61;
/** The byte of two letters at 26 · first + second, −1 where no word has them. */
const BYTE_OF = new Int16Array(26 * 26).fill(-1);
PAIRS.forEach((pair, byte) => {
  BYTE_OF[26 * (pair.charCodeAt(0) - 0x41) + pair.charCodeAt(1) - 0x41] = byte;
});

/** Letters of the checksum. */
export const CHECKSUM_LETTERS = 8;

/** The minimal bytewords of public bytes with their checksum, upper case: 2 · (bytes + 4) letters. */
export function toBytewords(bytes: Uint8Array): string {
  const c = crc32(bytes);
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += PAIRS[bytes[i] as number] as string;
  return text + (PAIRS[c >>> 24] as string) + (PAIRS[(c >>> 16) & 0xff] as string) + (PAIRS[(c >>> 8) & 0xff] as string) + (PAIRS[c & 0xff] as string);
}

/**
 * The bytes of minimal bytewords, in letters of either case, without their checksum. Never throws; the caller bounds the length.
 * @param from where the bytewords begin in the text; they go to its end
 * @returns the bytes, or in words what is wrong
 */
export function fromBytewords(text: string, from = 0): Uint8Array | string {
  const letters = text.length - from;
  if (letters % 2 !== 0) return 'an odd number of letters';
  if (letters < CHECKSUM_LETTERS) return 'shorter than its checksum';
  const all = new Uint8Array(letters / 2);
  for (let i = 0, at = from; i < all.length; i++, at += 2) {
    const first = (text.charCodeAt(at) | 0x20) - A;
    const second = (text.charCodeAt(at + 1) | 0x20) - A;
    const byte = first >>> 0 < 26 && second >>> 0 < 26 ? (BYTE_OF[26 * first + second] as number) : -1;
    if (byte < 0) return 'letters that no byteword has';
    all[i] = byte;
  }
  const end = all.length - 4;
  const stated = new DataView(all.buffer).getUint32(end);
  return crc32(all, end) === stated ? all.subarray(0, end) : 'its checksum is wrong: misread or damaged';
}
