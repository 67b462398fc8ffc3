/**
 * Logging in to a NATS server with the file that its operator handed out. One option takes whatever NATS knows, told apart by content:
 *
 *   - a `.creds` file: a user's JWT and the seed of its nkey;
 *   - the seed of a user's nkey alone (`SU…`);
 *   - a client certificate with its private key, both PEM, for a server that asks for one (`verify`, `verify_and_map`).
 *
 * The server gets a signature over its nonce, never the secret. A login lets a relay be used and nothing more: no message depends on it. NATS's
 * library copies a seed and the key of a certificate into strings, which nothing can wipe.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { type Authenticator, credsAuthenticator, nkeyAuthenticator } from '@nats-io/transport-node';
import { onFile } from '../vault/io-error.ts';
import { readRegular } from '../vault/raw-file.ts';
import { fail } from '../wire/errors.ts';

const MAX_LOGIN_BYTES = 64 << 10;
const MAX_CA_BYTES = 1 << 20;

/** A login: one of the first two is there. Secret. */
export interface NatsLogin {
  /** Signs the nonce of a server. */
  readonly authenticator?: Authenticator;
  /** Certificate and private key. */
  readonly clientPem?: string;
  /** Overwrites the file's bytes; the authenticator is of no use afterwards. */
  readonly wipe: () => void;
}

const readNamed = (path: string, max: number): Buffer =>
  Buffer.from(onFile('read', path, () => readRegular(realpathSync(path), max)) ?? fail('E_IO', `nothing is at ${path}`, { file: path, remedy: 'Check the path.' }));

/** Reads a login. @param path of a file of at most 64 kB @throws E_IO, E_TOO_LARGE; E_USAGE when it holds no login. No text shows anything of the contents. */
export function openNatsLogin(path: string): NatsLogin {
  const read = readNamed(path, MAX_LOGIN_BYTES);
  // the library knows no line ends of Windows
  const bytes = Buffer.from(read.filter((b) => b !== 13));
  read.fill(0);
  const wipe = (): void => {
    bytes.fill(0);
  };
  try {
    if (bytes.includes('-BEGIN CERTIFICATE-')) {
      const clientPem = bytes.toString('latin1');
      if (new X509Certificate(bytes).checkPrivateKey(createPrivateKey(bytes))) return { clientPem, wipe };
    }
    const creds = /-BEGIN NATS USER JWT-+\n[\w-]+\.[\w-]+\.[\w-]+\s/.test(bytes.toString('latin1'));
    if (creds || /^\s*SU[A-Z2-7]{56}\s*$/.test(bytes.toString('latin1'))) {
      const authenticator = creds ? credsAuthenticator(bytes) : nkeyAuthenticator(() => trimmed(bytes));
      // whether the file can be read shows only when it is used
      authenticator('a nonce of no server');
      return { authenticator, wipe };
    }
  } catch {
    // said below: the library's own words might show something of the file
  }
  wipe();
  return fail('E_USAGE', `${path} holds no login of NATS`, {
    file: path,
    field: 'relay-creds',
    remedy: 'It must be a .creds file, the seed of a user’s nkey (SU…), or a client certificate with its key in one PEM file. Ask the operator of the relay for it again.',
  });
}

function trimmed(bytes: Buffer): Buffer {
  const from = bytes.findIndex((b) => b > 32);
  return bytes.subarray(from, bytes.findLastIndex((b) => b > 32) + 1);
}

/** Certificates (PEM, public) that may vouch for a relay. @throws E_IO, E_TOO_LARGE; E_USAGE when there are none, or a damaged one */
export function readAuthorities(path: string): string {
  const text = readNamed(path, MAX_CA_BYTES).toString('latin1');
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  try {
    for (const pem of found) new X509Certificate(pem);
    if (found.length > 0) return found.join('\n');
  } catch {
    // said below
  }
  return fail('E_USAGE', `${path} holds no certificate in PEM`, { file: path, field: 'relay-ca', remedy: 'Ask whoever keeps the relay for the certificate of its authority.' });
}
