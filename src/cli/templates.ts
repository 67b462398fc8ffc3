/** The drafts that come with the program: part of its code, so that nothing has to lie beside it. */
import texts from 'embedded:templates';
import { utf8 } from '../wire/bytes.ts';

/** Every template by name: the bytes of its YAML file. Public. */
export function templates(): Map<string, Uint8Array> {
  return new Map(Object.entries(texts).map(([name, text]) => [name, utf8(text)]));
}
