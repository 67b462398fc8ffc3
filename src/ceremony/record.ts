/** Small records of a home: canonical JSON of a fixed form. What cannot be read is reported, never guessed. */
import * as v from 'valibot';
import type { Disk } from '../vault/durable.ts';
import { parseCanonical } from '../wire/canon.ts';
import { CeremonyError } from '../wire/errors.ts';

const MAX_RECORD_BYTES = 262_144;

/** What to do when a file of a home is damaged. */
export const DAMAGED = 'Restore this home from its newest whole copy, then expect it to be locked; see CEREMONY.md, "A damaged home".';

/**
 * A record of a home, or undefined when there is none.
 * @param what its name in the message: `the record of …`
 * @throws E_STATE naming the file when it is damaged; E_IO
 */
export function readRecord<S extends v.GenericSchema>(disk: Disk, file: string, schema: S, what: string): v.InferOutput<S> | undefined {
  const bytes = disk.read(file, MAX_RECORD_BYTES);
  if (!bytes) return undefined;
  try {
    return v.parse(schema, parseCanonical(bytes, MAX_RECORD_BYTES, 'E_STATE'));
  } catch (cause) {
    throw new CeremonyError('E_STATE', `${what} is damaged`, { file, remedy: DAMAGED, cause });
  }
}
