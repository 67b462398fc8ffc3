/** UR against published figures: the tests of the reference implementation (Blockchain Commons) and the example of the Rust crate `ur`. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decodePart, encodePart, unwrapBytes, wrapBytes } from '../../src/qr/cbor-part.ts';
import { crc32 } from '../../src/qr/crc32.ts';
import { Fragments, Mixer } from '../../src/qr/fountain.ts';
import { payloadSender, UrReader, urSender } from '../../src/qr/ur.ts';
import { Xoshiro } from '../../src/qr/xoshiro.ts';
import { fromHex, toHex } from '../../src/wire/bytes.ts';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
/** The messages of the published tests: the first bytes of the sequence that the word "Wolf" seeds. */
const wolf = (length: number): Uint8Array => {
  const rng = new Xoshiro(ascii('Wolf'));
  return Uint8Array.from({ length }, () => rng.index(256));
};

describe('xoshiro256**', () => {
  it('numbers from 1 to 10', () => {
    const rng = new Xoshiro(ascii('Wolf'));
    const expected = [6, 5, 8, 4, 10, 5, 7, 10, 4, 9, 10, 9, 7, 7, 1, 1, 2, 9, 9, 2, 6, 4, 5, 7, 8, 5, 4, 2, 3, 8, 7, 4, 5, 1, 10, 9, 3, 10, 2, 6, 8, 5, 7, 9, 3, 1, 5, 2, 7, 1, 4, 4, 4, 4, 9, 4, 5, 5, 6, 9, 5, 1, 2, 8, 3, 3, 2, 8, 4, 3, 2, 1, 10, 8, 9, 3, 10, 8, 5, 5, 6, 7, 10, 5, 8, 9, 4, 6, 4, 2, 10, 2, 1, 7, 9, 6, 7, 4, 2, 5];
    expect(Array.from({ length: 100 }, () => 1 + rng.index(10))).toEqual(expected);
  });
  it('bytes', () => {
    expect(toHex(wolf(20))).toBe('916ec65cf77cadf55cd7f9cda1a1030026ddd42e');
  });
  it('the same as with integers of 64 bits', () => {
    // xoshiro256** as Blackman and Vigna state it
    const mask = (1n << 64n) - 1n;
    const turn = (x: bigint, k: bigint): bigint => ((x << k) | (x >> (64n - k))) & mask;
    for (const seed of ['', 'a', 'Wolf', 'any other']) {
      const rng = new Xoshiro(ascii(seed));
      const digest = createHash('sha256').update(seed).digest();
      const s = [0, 8, 16, 24].map((at) => digest.readBigUInt64BE(at)) as [bigint, bigint, bigint, bigint];
      for (let i = 0; i < 2000; i++) {
        expect(rng.fraction()).toBe(Number((turn((s[1] * 5n) & mask, 7n) * 9n) & mask) / 2 ** 64);
        const t = (s[1] << 17n) & mask;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = turn(s[3], 45n);
      }
    }
  });
});

describe('the fountain', () => {
  const message = wolf(1024);
  const fragments = new Fragments(message, 100);

  it('cuts into the fewest fragments of the least size, the last filled up with zeros', () => {
    expect([fragments.count, fragments.size]).toEqual([11, 94]);
    expect(toHex(fragments.mix(Uint16Array.of(0)))).toBe(
      '916ec65cf77cadf55cd7f9cda1a1030026ddd42e905b77adc36e4f2d3ccba44f7f04f2de44f42d84c374a0e149136f25b01852545961d55f7f7a8cde6d0e2ec43f3b2dcb644a2209e8c9e34af5c4747984a5e873c9cf5f965e25ee29039f',
    );
    expect(toHex(fragments.mix(Uint16Array.of(10)))).toBe(
      '170010067e2e75ebe2d2904aeb1f89d5dc98cd4a6f2faaa8be6d03354c990fd895a97feb54668473e9d942bb99e196d897e8f1b01625cf48a7b78d249bb4985c065aa8cd1402ed2ba1b6f908f63dcd84b66425df00000000000000000000',
    );
    // 12,345 bytes in at most 1,955
    expect(new Fragments(new Uint8Array(12345), 1955).size).toBe(1764);
    expect(new Fragments(new Uint8Array(12345), 30000).size).toBe(12345);
  });

  it('mixes the published fragments', () => {
    const mixer = new Mixer(fragments.count, crc32(message));
    const sorted = Array.from({ length: 20 }, (_, i) => [...mixer.of(i + 11)].sort((a, b) => a - b));
    expect(sorted).toEqual([
      [10], [9], [2, 5, 6, 8, 9, 10], [8], [1, 5], [1], [0, 2, 4, 5, 8, 10], [5], [2], [2], [0, 1, 3, 4, 5, 7, 9, 10], [0, 1, 2, 3, 5, 6, 8, 9, 10], [0, 2, 4, 5, 7, 8, 9, 10], [3, 5], [4],
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [0, 1, 3, 4, 5, 6, 7, 9, 10], [6], [5, 6], [7],
    ]);
    for (let n = 1; n <= 200; n++) expect(mixer.degree(n)).toBe(mixer.of(n).length);
  });

  it('gives the published parts of 256 bytes', () => {
    const sender = new Fragments(wolf(256), 30);
    const mixer = new Mixer(sender.count, 23570951);
    const part = (n: number): string => toHex(sender.mix(mixer.of(n)));
    expect(crc32(wolf(256))).toBe(23570951);
    expect(part(9)).toBe('951e65305b56a3706e3e86eb01c803bbf915d80edcd64d4d0000000000');
    expect([10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20].map(part)).toEqual([
      '330f0f33a05eead4f331df229871bee733b50de71afd2e5a79f196de09',
      '3b205ce5e52d8c24a52cffa34c564fa1af3fdffcd349dc4258ee4ee828',
      'dd7bf725ea6c16d531b5f03254783803048ca08b87148daacd1cd7a006',
      '760be7ad1c6187902bbc04f539b9ee5eb8ea6833222edea36031306c01',
      '5bf4031217d2c3254b088fa7553778b5003632f46e21db129416f65b55',
      '73f021c0e6f65b05c0a494e50791270a0050a73ae69b6725505a2ec8a5',
      'b8546ebfe2048541348910267331c643133f828afec9337c318f71b7df',
      '23dedeea74e3a0fb052befabefa13e2f80e4315c9dceed4c8630612e64',
      'd01a8daee769ce34b6b35d3ca0005302724abddae405bdb419c0a6b208',
      '3171c5dc365766eff25ae47c6f10e7de48cfb8474e050e5fe997a6dc24',
      'e055c2433562184fa71b4be94f262e200f01c6f74c284b0dc6fae6673f',
    ]);
  });
});

describe('the CBOR', () => {
  it('of parts', () => {
    const fragment = fromHex('916ec65cf77cadf55cd7f9cda1a1030026ddd42e905b77adc36e4f2d3c');
    const part = { sequence: 1, count: 9, length: 256, checksum: 23570951, fragment };
    expect(toHex(encodePart(part))).toBe(`8501091901001a0167aa07581d${toHex(fragment)}`);
    expect(decodePart(encodePart(part))).toEqual(part);
    expect(toHex(encodePart({ sequence: 12, count: 8, length: 100, checksum: 0x12345678, fragment: Uint8Array.of(1, 5, 3, 3, 5) }))).toBe('850c0818641a12345678450105030305');
  });
  // RFC 8949, appendix A and section 3: the head takes 1, 2, 3 or 5 bytes
  it.each([[0, '40'], [1, '41'], [23, '57'], [24, '5818'], [255, '58ff'], [256, '590100'], [65535, '59ffff'], [65536, '5a00010000']])('of a string of %i bytes', (length, head) => {
    const bytes = new Uint8Array(length).fill(7);
    const cbor = wrapBytes(bytes);
    expect(toHex(cbor.subarray(0, cbor.length - length))).toBe(head);
    expect(unwrapBytes(cbor)).toEqual(bytes);
  });
});

describe('texts', () => {
  it('a message in one part', () => {
    const text = 'ur:bytes/hdeymejtswhhylkepmykhhtsytsnoyoyaxaedsuttydmmhhpktpmsrjtgwdpfnsboxgwlbaawzuefywkdplrsrjynbvygabwjldapfcsdwkbrkch';
    const sender = urSender(wolf(50), 100);
    expect([sender.count, sender.part(1), sender.part(7)]).toEqual([1, text.toUpperCase(), text.toUpperCase()]);
    const reader = new UrReader();
    expect([reader.take(text), reader.message]).toEqual(['complete', wolf(50)]);
  });

  it('twenty parts of 256 bytes', () => {
    const parts = `
      1-9/lpadascfadaxcywenbpljkhdcahkadaemejtswhhylkepmykhhtsytsnoyoyaxaedsuttydmmhhpktpmsrjtdkgslpgh
      2-9/lpaoascfadaxcywenbpljkhdcagwdpfnsboxgwlbaawzuefywkdplrsrjynbvygabwjldapfcsgmghhkhstlrdcxaefz
      3-9/lpaxascfadaxcywenbpljkhdcahelbknlkuejnbadmssfhfrdpsbiegecpasvssovlgeykssjykklronvsjksopdzmol
      4-9/lpaaascfadaxcywenbpljkhdcasotkhemthydawydtaxneurlkosgwcekonertkbrlwmplssjtammdplolsbrdzcrtas
      5-9/lpahascfadaxcywenbpljkhdcatbbdfmssrkzmcwnezelennjpfzbgmuktrhtejscktelgfpdlrkfyfwdajldejokbwf
      6-9/lpamascfadaxcywenbpljkhdcackjlhkhybssklbwefectpfnbbectrljectpavyrolkzczcpkmwidmwoxkilghdsowp
      7-9/lpatascfadaxcywenbpljkhdcavszmwnjkwtclrtvaynhpahrtoxmwvwatmedibkaegdosftvandiodagdhthtrlnnhy
      8-9/lpayascfadaxcywenbpljkhdcadmsponkkbbhgsoltjntegepmttmoonftnbuoiyrehfrtsabzsttorodklubbuyaetk
      9-9/lpasascfadaxcywenbpljkhdcajskecpmdckihdyhphfotjojtfmlnwmadspaxrkytbztpbauotbgtgtaeaevtgavtny
      10-9/lpbkascfadaxcywenbpljkhdcahkadaemejtswhhylkepmykhhtsytsnoyoyaxaedsuttydmmhhpktpmsrjtwdkiplzs
      11-9/lpbdascfadaxcywenbpljkhdcahelbknlkuejnbadmssfhfrdpsbiegecpasvssovlgeykssjykklronvsjkvetiiapk
      12-9/lpbnascfadaxcywenbpljkhdcarllaluzmdmgstospeyiefmwejlwtpedamktksrvlcygmzemovovllarodtmtbnptrs
      13-9/lpbtascfadaxcywenbpljkhdcamtkgtpknghchchyketwsvwgwfdhpgmgtylctotzopdrpayoschcmhplffziachrfgd
      14-9/lpbaascfadaxcywenbpljkhdcapazewnvonnvdnsbyleynwtnsjkjndeoldydkbkdslgjkbbkortbelomueekgvstegt
      15-9/lpbsascfadaxcywenbpljkhdcaynmhpddpzmversbdqdfyrehnqzlugmjzmnmtwmrouohtstgsbsahpawkditkckynwt
      16-9/lpbeascfadaxcywenbpljkhdcawygekobamwtlihsnpalnsghenskkiynthdzotsimtojetprsttmukirlrsbtamjtpd
      17-9/lpbyascfadaxcywenbpljkhdcamklgftaxykpewyrtqzhydntpnytyisincxmhtbceaykolduortotiaiaiafhiaoyce
      18-9/lpbgascfadaxcywenbpljkhdcahkadaemejtswhhylkepmykhhtsytsnoyoyaxaedsuttydmmhhpktpmsrjtntwkbkwy
      19-9/lpbwascfadaxcywenbpljkhdcadekicpaajootjzpsdrbalpeywllbdsnbinaerkurspbncxgslgftvtsrjtksplcpeo
      20-9/lpbbascfadaxcywenbpljkhdcayapmrleeleaxpasfrtrdkncffwjyjzgyetdmlewtkpktgllepfrltataztksmhkbot`
      .trim()
      .split(/\s+/)
      .map((path) => `ur:bytes/${path}`);
    const sender = urSender(wolf(256), 30);
    expect(sender.count).toBe(9);
    expect(parts.map((_, i) => sender.part(i + 1))).toEqual(parts.map((p) => p.toUpperCase()));
    const reader = new UrReader();
    const taken = parts.slice(9).map((p) => reader.take(p));
    // the mixtures alone are not enough of them; the plain ones fill what is missing
    expect(taken).not.toContain('complete');
    expect(parts.slice(0, 9).map((p) => reader.take(p))).toContain('complete');
    expect(reader.message).toEqual(wolf(256));
  });

  it('a payload that is no CBOR, in fragments of 5 bytes', () => {
    const sender = payloadSender(ascii('Ten chars!'.repeat(10)), 5, 'bytes');
    expect(sender.part(1)).toBe('ur:bytes/1-20/lpadbbcsiecyvdidatkpfeghihjtcxiabdfevlms'.toUpperCase());
    expect(sender.part(2)).toBe('ur:bytes/2-20/lpaobbcsiecyvdidatkpfeishsjpjkclwewffhad'.toUpperCase());
  });

  it('another type', () => {
    expect(payloadSender(ascii('Ten chars!'), 5, 'my-scheme').part(1)).toBe('ur:my-scheme/1-2/lpadaobkcywkwmhfwnfeghihjtcxiansvomopr'.toUpperCase());
    expect(payloadSender(Uint8Array.of(0x83, 1, 2, 3), 5, 'test').part(1)).toBe('ur:test/lsadaoaxjygonesw'.toUpperCase());
  });
});
