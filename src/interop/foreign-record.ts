/** Public facts of a foreign key as canonical JSON holds them: in plans. Loads no curve. */
import * as v from 'valibot';
import { type SchemeName, SCHEMES } from '../curves/scheme.ts';
import { count, hexText } from './foreign-json.ts';

/** Most holders of a key that are read. */
export const MAX_HOLDERS = 64;

/** The public facts as canonical JSON can hold them, for example in a plan: hex for bytes. */
export const ForeignKeySchema = v.strictObject({
  format: v.picklist(['key', 'zf-frost', 'lockness']),
  scheme: v.picklist(Object.keys(SCHEMES) as [SchemeName, ...SchemeName[]]),
  publicKey: hexText,
  minSigners: v.pipe(count(1, MAX_HOLDERS), v.integer()),
  chainCode: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))),
  shares: v.pipe(v.array(v.strictObject({ identifier: hexText, point: hexText })), v.minLength(1), v.maxLength(MAX_HOLDERS)),
});
export type ForeignKeyRecord = v.InferOutput<typeof ForeignKeySchema>;
