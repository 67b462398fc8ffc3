/** Reading the share of a foreign key from the files that a holder brings. Secret. */
import type { SchemeName } from '../curves/scheme.ts';
import { MAX_FOREIGN_BYTES } from '../interop/foreign-json.ts';
import type { ForeignShare } from '../interop/foreign-share.ts';
import { openPrivateKey } from '../interop/open-key.ts';
import { openLocknessShare } from '../interop/open-lockness.ts';
import { openZfKeyPackage } from '../interop/open-zf-frost.ts';
import type { Disk } from '../vault/durable.ts';
import { fail } from '../wire/errors.ts';

/** What a holder names. */
export interface ForeignFiles {
  readonly format: 'key' | 'zf-frost' | 'lockness';
  /** Private key, key package or key share. */
  readonly share: string;
  /** Public key package, ZF only. */
  readonly public?: string | undefined;
  /** Scheme of a private key. */
  readonly scheme?: SchemeName | undefined;
}

/** Opens them. @returns the share in fresh memory, to be overwritten. @throws E_MISSING, and what the format's reader throws */
export function readForeignShare(disk: Disk, files: ForeignFiles): ForeignShare {
  const read = (file: string): Uint8Array => disk.read(file, MAX_FOREIGN_BYTES) ?? fail('E_MISSING', `there is no ${file}`, { file });
  const bytes = read(files.share);
  try {
    switch (files.format) {
      case 'key':
        return openPrivateKey(bytes, files.scheme ?? fail('E_USAGE', 'the scheme is missing: --scheme SCHEME', { field: 'scheme' }), files.share);
      case 'lockness':
        return openLocknessShare(bytes, files.share);
      case 'zf-frost': {
        const publicFile = files.public ?? fail('E_USAGE', 'the public key package is missing: --public FILE', { field: 'public' });
        return openZfKeyPackage(bytes, read(publicFile), { key: files.share, public: publicFile });
      }
    }
  } finally {
    bytes.fill(0);
  }
}
