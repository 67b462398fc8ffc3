/** Presigning in a home: a stock of presignatures for one quorum and one derivation path. */
import type { PresignPlan } from '../plan/plan.ts';
import { concluded } from '../protocols/crew.ts';
import type { Inbound } from '../protocols/machine.ts';
import { CLOSE, type Presigned, presignFindings } from '../protocols/presign.ts';
import { presignatureId, presignatureRecord } from '../protocols/presignature.ts';
import { presignedDigest, presigningOf } from '../protocols/presign-plan.ts';
import { toHex } from '../wire/bytes.ts';
import { fail } from '../wire/errors.ts';
import { rememberBlame, requireUnblamed } from './blame.ts';
import type { Driver, Finished } from './driver.ts';
import { inHome } from './home.ts';
import { remembered } from './judged.ts';
import type { Port } from './port.ts';
import { PresignRounds } from './presign-rounds.ts';
import { keepPresignature, presignaturePath } from './presignatures.ts';
import { certificateFor } from './signing.ts';
import type { CeremonyStore } from './store.ts';

/** Driver of one presigning. */
export function presignDriver(store: CeremonyStore, plan: PresignPlan, port: Port): Promise<Driver> {
  const { home } = store;
  const certificate = certificateFor(home, plan);
  const presigning = presigningOf(plan, certificate);
  const rounds = new PresignRounds(store, presigning, certificate, port);
  const { name, epoch } = plan.key;

  const judge = remembered(async (messages, everything) => presignFindings(presigning, messages, store.done ? concluded : await rounds.judge(everything), false));
  const recordsOf = (presigned: Presigned): ReturnType<typeof presignatureRecord>[] => presigned.presignatures.map((made, i) => presignatureRecord(presigning, i, made));
  const resultOf = async (messages: Inbound): Promise<Presigned> => (await judge(messages)).presigned ?? fail('E_INTERNAL', 'no presignatures yet');
  const signers = plan.participants.map((p) => p.name).join(' and ');
  const lines = [
    `${String(plan.count)} presignature${plan.count === 1 ? '' : 's'} of ${name} for ${signers}${plan.path === undefined ? '' : `, path ${plan.path},`} ${plan.count === 1 ? 'is' : 'are'} in stock.`,
    'Each signs one message, in one visit of each signer. They die with this epoch and go into no backup.',
  ];

  return Promise.resolve({
    findings: async (messages) => (await judge(messages)).findings,
    traces: async (messages) => (await judge(messages)).mismatch !== undefined,
    async make(slot, messages, identity) {
      if (slot !== CLOSE) requireUnblamed(home, plan);
      if (slot !== CLOSE) return { message: { 1: 'offer', 2: 'convert', 3: 'sum' }[slot] ?? '', body: await rounds.make(slot, messages, identity) };
      const { mismatch } = await judge(messages);
      return { message: 'trace', body: await rounds.trace(messages, identity, mismatch ?? fail('E_INTERNAL', 'nothing to trace')) };
    },
    sent: (slot) => {
      rounds.sent(slot);
    },
    missingWitnesses: () => Promise.resolve([]),
    async finish(messages, identity): Promise<Finished> {
      const records = recordsOf(await resultOf(messages));
      const halves = rounds.halves(messages, identity);
      records.forEach((record, i) => {
        const half = halves?.[i];
        if (half) {
          keepPresignature(home, identity.vault, name, epoch, record, half);
          half.fill(0);
        } else if (!home.disk.exists(inHome(home, presignaturePath(name, epoch, toHex(presignatureId(record)))))) fail('E_STATE', 'a presignature of this ceremony is missing from this home');
      });
      store.destroySecrets();
      return { entry: { kind: 'presigned', epoch: toHex(certificate.digest), result: toHex(presignedDigest(records)) }, files: [], lines };
    },
    adopt: () => undefined,
    finished: () => Promise.resolve({ files: [], lines }),
    blame: (participant) => {
      rememberBlame(home, name, epoch, participant, `${store.label} ${store.id}`);
    },
    abandon: () => {
      rounds.destroy();
    },
  });
}
