/** What the engine needs to know of a kind of ceremony. One driver a kind, loaded when it is needed. */
import type { Finding, Inbound } from '../protocols/machine.ts';
import type { EntryFacts } from '../transcript/chain.ts';
import type { Identity } from './identity.ts';

/** A file of the ceremony folder, by its path there. */
export interface FolderFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** A message ready to be signed. */
export interface MadeMessage {
  /** Name of the message: that of the slot, or `complaint`. */
  readonly message: string;
  readonly body: Uint8Array;
  /** Entries that go into the journal before the `sent` entry. */
  readonly before?: readonly Omit<EntryFacts, 'at'>[];
}

/** The good end of a ceremony. */
export interface Finished {
  /** Entries that go before it. */
  readonly before?: readonly Omit<EntryFacts, 'at'>[];
  readonly entry: Omit<EntryFacts, 'at'>;
  /** Files for the folder, derived from what everybody holds. */
  readonly files: readonly FolderFile[];
  readonly lines: readonly string[];
}

export interface Driver {
  /** All faults in the messages held; the same function that verifies transcripts and evidence. */
  findings(messages: Inbound): Promise<readonly Finding[]>;
  /**
   * Makes this participant's message of a slot; every slot before it is complete and without fault. A complaint is
   * sent in the closing slot, whatever slot was asked for.
   */
  make(slot: number, messages: Inbound, identity: Identity): Promise<MadeMessage>;
  /** Whether the messages of all slots call for an error round. */
  traces?(messages: Inbound): Promise<boolean>;
  /** Destroys what is not needed once a message counts as sent. */
  sent(slot: number): void;
  /** Names of witnesses without whose signature the result is not final. */
  missingWitnesses(messages: Inbound): Promise<readonly string[]>;
  /** Takes the result into the home; every slot is complete and without fault. */
  finish(messages: Inbound, identity: Identity): Promise<Finished>;
  /**
   * Takes the result from a certificate that somebody else completed, where this participant's own closing message
   * stands in it: whoever holds the certificate can give it to the others.
   * @returns undefined when the certificate is not one of this ceremony
   */
  adopt(certificate: Uint8Array, file: string, identity: Identity): Finished | undefined;
  /** Files and lines of a finished ceremony, for showing them again. */
  finished(messages: Inbound): Promise<Pick<Finished, 'files' | 'lines'>>;
  /** Remembers that a participant was proven to have cheated. */
  blame?(participant: string): void;
  /** Destroys what this participant's refusal or abandonment makes useless. */
  abandon(): void;
}
