/** What `help protocols` prints: which papers and versions are implemented, how far, and what is not (SGN-26, ITG-05). */

export interface ProtocolFacts {
  readonly name: string;
  readonly source: string;
  readonly rounds: string;
  readonly aborts: string;
  readonly proofs: string;
  readonly vectors: string;
  readonly audit: string;
}

const AUDIT = 'none yet; reviewed by its authors as attackers, never by an independent firm';

export const IMPLEMENTED: readonly ProtocolFacts[] = [
  {
    name: 'Distributed key generation over a quorum expression',
    source: 'Feldman 1987 (verifiable sharing) with commit before reveal and proofs of possession as in PedPop; RFC 9591 identifiers; sealing in ristretto255 with Chaum-Pedersen proofs',
    rounds: '3 messages and the certificate; 4 for ECDSA keys',
    aborts: 'E_COMMIT E_POP E_DEALING E_POINT E_SEALING E_VSS E_FALSE_COMPLAINT E_CONFIRM name a culprit; E_VIEW and E_DEGENERATE name nobody',
    proofs: 'Schnorr, DLEQ',
    vectors: 'own known answers; DKG vectors of RFC 9591 implementations',
    audit: AUDIT,
  },
  {
    name: 'FROST (Schnorr, EdDSA)',
    source: 'RFC 9591 with the ciphersuites of @noble/curves; BIP-340, BIP-341, BIP-32',
    rounds: '2 messages, or 1 from a stock of nonce commitments',
    aborts: 'E_SHARE E_REQUEST name a culprit; E_VIEW names nobody',
    proofs: 'none needed: every share is checked against public shares',
    vectors: 'RFC 9591, BIP-340, BIP-341, BIP-32; ZF FROST both ways',
    audit: AUDIT,
  },
  {
    name: 'CGGMP24 (threshold ECDSA)',
    source: 'Canetti, Gennaro, Goldfeder, Makriyannis, Peled: ePrint 2021/060, revision of 2024; one parameter set: 3072-bit moduli, 128 repetitions',
    rounds: 'auxiliary information rides on key generation; presigning 3 messages; signing 1 message with a presignature, 4 without, 3 with stocked first messages; an error round where parts do not add up',
    aborts: 'E_MODULUS E_PROOF E_RANGE E_FIXTURE E_POP E_SHARE E_REQUEST E_SUM name a culprit; E_VIEW, E_AUX_COLLISION and E_DEGENERATE name nobody',
    proofs: 'sch, elog, prm, mod, fac, enc-elg, aff-g; dec and aff-g* in the error round',
    vectors: 'own fixtures; signatures verified by OpenSSL, libsecp256k1 and ethers; Paillier against paillier-bigint',
    audit: AUDIT,
  },
];

/** Named so that nobody has to guess, each with the reason. */
export const NOT_IMPLEMENTED: readonly (readonly [string, string])[] = [
  ['GG18, GG20 (ePrint 2019/114, 2020/540)', 'superseded: missing proofs led to key extraction in several implementations'],
  ['CGGMP21 (ePrint 2021/060, first revisions)', 'superseded by the revision of 2024'],
  ['DKLs18, DKLs23 (ePrint 2018/499, 2023/765)', 'oblivious transfer has many small rounds and large messages; an offline carrier wants few'],
  ['Lindell17 (ePrint 2017/552)', 'two parties only, and a failed signature leaks'],
  ['Shamir 1979 with a dealer', 'a dealer knows the key'],
  ['Pedersen 1991 sharing', 'Feldman with a commit round gives what is needed'],
  ['Yao and other general computation', 'not for signatures'],
  ['NIST MPTC (IR 8214)', 'a call for schemes, not a scheme; both engines are of the kinds it asks for'],
];
