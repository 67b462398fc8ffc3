/** The signature schemes a key can be made for, and what follows from each. */
import type { GroupName } from './group.ts';

export interface Scheme {
  readonly name: SchemeName;
  /** The protocol that signs: FROST (RFC 9591), or threshold ECDSA by CGGMP24. */
  readonly protocol: 'frost' | 'cggmp24';
  readonly group: GroupName;
  /** BIP-340 keys and signatures, BIP-341 output key: the public key shown outside is x-only. */
  readonly taproot: boolean;
  /** Whether non-hardened BIP-32 child keys are defined for it. */
  readonly derivable: boolean;
  /** Bytes of the public key as verifiers of the scheme take it. */
  readonly publicKeyBytes: number;
}

export type FrostSchemeName = 'frost-ed25519' | 'frost-secp256k1-tr' | 'frost-secp256k1' | 'frost-p256' | 'frost-ristretto255' | 'frost-ed448';
export type EcdsaSchemeName = 'cggmp24-secp256k1' | 'cggmp24-p256';
export type SchemeName = FrostSchemeName | EcdsaSchemeName;

const scheme = (
  name: SchemeName,
  group: GroupName,
  publicKeyBytes: number,
  traits: { taproot?: true; derivable?: true } = {},
): Scheme => ({
  name,
  protocol: name.startsWith('cggmp24') ? 'cggmp24' : 'frost',
  group,
  taproot: traits.taproot === true,
  derivable: traits.derivable === true,
  publicKeyBytes,
});

export const SCHEMES: Readonly<Record<SchemeName, Scheme>> = {
  'frost-ed25519': scheme('frost-ed25519', 'ed25519', 32),
  'frost-secp256k1-tr': scheme('frost-secp256k1-tr', 'secp256k1', 32, { taproot: true, derivable: true }),
  'frost-secp256k1': scheme('frost-secp256k1', 'secp256k1', 33, { derivable: true }),
  'frost-p256': scheme('frost-p256', 'p256', 33),
  'frost-ristretto255': scheme('frost-ristretto255', 'ristretto255', 32),
  'frost-ed448': scheme('frost-ed448', 'ed448', 57),
  'cggmp24-secp256k1': scheme('cggmp24-secp256k1', 'secp256k1', 33, { derivable: true }),
  'cggmp24-p256': scheme('cggmp24-p256', 'p256', 33),
};
