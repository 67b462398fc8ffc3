/** A relay by its address, as it stands behind `relay:` on the command line. What an address does not need is not loaded. */
import { realpathSync } from 'node:fs';
import { readRegular } from '../vault/raw-file.ts';
import { onFile } from '../vault/io-error.ts';
import { fail } from '../wire/errors.ts';
import type { Relay, RelayOptions } from './relay.ts';

const MAX_PEM_BYTES = 1 << 20;

/** @throws E_USAGE for what cannot be an address, or holds a user or password */
function parseAddress(text: string): URL | undefined {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]+):\/\//.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return undefined;
  // the text itself is not repeated: it may hold a password
  const wrong = (what: string, remedy: string): never => fail('E_USAGE', `the address of the relay ${what}`, { field: 'relay', remedy });
  if (!['http', 'https', 'nats', 'tls'].includes(scheme)) return wrong(`begins with ${scheme}://, which no relay has`, 'Give a folder, or an address that begins with http://, https://, nats:// or tls://.');
  if (!URL.canParse(text)) return wrong('cannot be read', 'It looks like https://relay.example:8787');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '' || /^[^/]*:\/\/[^/?#]*@/.test(text)) return wrong('holds a user or password', 'Leave it out; credentials of NATS are given with --relay-creds FILE.');
  if (url.hash !== '' || url.search !== '' || /[?#]/.test(text)) return wrong('has a part behind ? or #', 'Leave it out.');
  if (url.hostname === '') return wrong('names no machine', 'It looks like https://relay.example:8787');
  return url;
}

/**
 * Opens the relay at an address.
 * @param address a folder (absolute or relative to the working directory), `http://`, `https://`, `nats://` or `tls://`
 * @throws E_USAGE for an address that cannot be one, E_RELAY when it is not there, E_IO for a file of the options
 */
export async function openRelay(address: string, options: RelayOptions = {}): Promise<Relay> {
  const url = parseAddress(address);
  const scheme = url?.protocol ?? '';
  if (options.creds !== undefined && scheme !== 'nats:' && scheme !== 'tls:') fail('E_USAGE', '--relay-creds is for NATS alone', { field: 'relay-creds', remedy: 'Leave it out.' });
  if (options.ca !== undefined && scheme !== 'https:' && scheme !== 'nats:' && scheme !== 'tls:') fail('E_USAGE', '--relay-ca is for https://, nats:// and tls://', { field: 'relay-ca', remedy: 'Leave it out, or use an encrypted connection.' });
  if (url === undefined) return (await import('./folder-relay.ts')).folderRelay(address);
  if (scheme === 'http:' || scheme === 'https:') return (await import('./http-relay.ts')).httpRelay(url, { ca: options.ca === undefined ? undefined : readPem(options.ca) });
  return (await import('./nats-relay.ts')).natsRelay(url, options);
}

/** @throws E_USAGE, E_IO, E_TOO_LARGE */
function readPem(path: string): Uint8Array {
  const bytes = onFile('read', path, () => readRegular(realpathSync(path), MAX_PEM_BYTES));
  if (bytes === undefined || !/-----BEGIN CERTIFICATE-----/.test(new TextDecoder('latin1').decode(bytes))) return fail('E_USAGE', `${path} holds no certificate in PEM`, { file: path, field: 'relay-ca', remedy: 'Ask whoever keeps the relay for the certificate of its authority.' });
  return bytes;
}
