/** One ceremony at the table: everybody's copy of its folder, the courier, and what everybody's last command said. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { step } from '../../src/ceremony/engine.ts';
import { findChanged } from '../../src/ceremony/find.ts';
import { join as joinCeremony } from '../../src/ceremony/join.ts';
import type { Step } from '../../src/ceremony/port.ts';
import { CeremonyStore } from '../../src/ceremony/store.ts';
import { parsePlanFile } from '../../src/plan/plan-file.ts';
import { type Plan, planSession } from '../../src/plan/plan.ts';
import type { Inbound } from '../../src/protocols/machine.ts';
import { makeBlob, type Seat, type Session } from '../../src/wire/blob.ts';
import { toHex, utf8 } from '../../src/wire/bytes.ts';
import { CeremonyError, type ErrorCode } from '../../src/wire/errors.ts';
import { sha256 } from '../../src/wire/hash.ts';
import type { Table } from './harness.ts';

/** How a participant's last command ended. */
export interface Outcome {
  readonly step?: Step;
  readonly error?: CeremonyError;
}

/** One ceremony: a copy of its folder for every participant. */
export class Run {
  readonly table: Table;
  readonly id: string;
  /** Labels of the homes that follow the program. */
  readonly honest: readonly string[];
  readonly cheats: readonly string[];
  readonly last = new Map<string, Outcome>();
  #plan: Plan | undefined;

  constructor(table: Table, id: string, honest: readonly string[], cheats: readonly string[]) {
    this.table = table;
    this.id = id;
    this.honest = honest;
    this.cheats = cheats;
  }

  get plan(): Plan {
    if (!this.#plan) throw this.error([...this.last.keys()][0] as string);
    return this.#plan;
  }
  set plan(plan: Plan) {
    this.#plan = plan;
  }
  get session(): Session {
    return planSession(this.plan);
  }
  seat(name: string): Seat {
    const seat = this.session.seats.find((s) => s.name === name);
    if (!seat) throw new Error(`no seat of ${name}`);
    return seat;
  }

  folder(label: string): string {
    return join(this.table.root, 'runs', this.id, label);
  }
  file(label: string, path: string): Uint8Array | undefined {
    const file = join(this.folder(label), path);
    return existsSync(file) ? new Uint8Array(readFileSync(file)) : undefined;
  }
  write(label: string, path: string, bytes: Uint8Array): void {
    mkdirSync(dirname(join(this.folder(label), path)), { recursive: true });
    writeFileSync(join(this.folder(label), path), bytes);
  }
  /** Every file in somebody's folder, by path. */
  files(label: string): string[] {
    if (!existsSync(this.folder(label))) return [];
    const entries = readdirSync(this.folder(label), { recursive: true, withFileTypes: true });
    return entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name).slice(this.folder(label).length + 1));
  }

  /** Takes up the plan that the lead wrote, and carries the folder round. */
  async begun(lead: string): Promise<this> {
    const plan = this.file(lead, 'PLAN.yaml');
    if (plan) {
      this.#plan = await parsePlanFile(plan, 'PLAN.yaml');
      this.carry();
    }
    return this;
  }

  /** One command of a participant; what it threw is kept. */
  async act(label: string, command: () => Promise<Step>): Promise<Outcome> {
    let outcome: Outcome;
    try {
      outcome = { step: await command() };
    } catch (error) {
      if (!(error instanceof CeremonyError)) throw error;
      outcome = { error };
    }
    this.last.set(label, outcome);
    return outcome;
  }

  /** `next`, or `join` for who has not joined. */
  next(label: string): Promise<Outcome> {
    const { home, port } = this.table.party(label);
    const folder = this.folder(label);
    return this.act(label, async () => {
      const bytes = this.file(label, 'PLAN.yaml');
      const found = CeremonyStore.byPlace(home, folder, bytes && toHex(sha256(bytes)));
      if (found) return step(found, folder, port);
      if (!CeremonyStore.byPlace(home, folder, undefined)) return joinCeremony(home, folder, port);
      return step(await findChanged(home, folder), folder, port);
    });
  }

  /** The courier: copies every folder over every other, later ones over earlier ones, and deletes nothing. */
  carry(order: readonly string[] = [...this.honest, ...this.cheats]): void {
    for (const from of order)
      for (const to of order) if (from !== to && existsSync(this.folder(from))) cpSync(this.folder(from), this.folder(to), { recursive: true });
  }

  /** One stick goes round, in this order, until nobody moves any more. */
  async settle(order: readonly string[] = this.honest): Promise<void> {
    for (let moved = true; moved; ) {
      moved = false;
      for (const label of order) {
        this.carry([...order, ...this.cheats]);
        const before = this.head(label);
        await this.next(label);
        moved ||= this.head(label) !== before;
      }
    }
  }

  /** This participant's record of the ceremony. */
  store(label: string): CeremonyStore | undefined {
    return CeremonyStore.find(this.table.party(label).home, this.plan);
  }
  head(label: string): string {
    return toHex(this.store(label)?.head.hash ?? new Uint8Array(0));
  }
  /** Messages that a participant holds. */
  messages(label = this.honest[0] as string): Inbound {
    const store = this.store(label);
    if (!store) throw new Error(`${label} has not joined`);
    return store.messages();
  }
  error(label: string): CeremonyError {
    const error = this.last.get(label)?.error;
    if (!error) throw new Error(`${label} was refused nothing: ${JSON.stringify(this.last.get(label)?.step?.nextAction)}`);
    return error;
  }
  code(label: string): ErrorCode | 'DONE' | 'WAIT' {
    const outcome = this.last.get(label);
    if (outcome?.error) return outcome.error.code;
    return outcome?.step?.nextAction.code === 'DONE' ? 'DONE' : 'WAIT';
  }

  /** A blob of a participant, signed with its real identity. */
  blob(label: string, slot: number, body: Uint8Array, head = { seq: slot, hash: sha256(utf8(label)) }): Uint8Array {
    const { name, identity } = this.table.party(label);
    return makeBlob(this.session, this.seat(name), slot, head, body, identity.signer);
  }

  /** A cheat says something: to everybody, or into the folders of its victims alone. */
  say(cheat: string, slot: number, body: Uint8Array, victims: readonly string[] = [...this.honest, ...this.cheats]): void {
    for (const victim of victims) this.write(victim, `round-${String(slot)}/${cheat}.blob`, this.blob(cheat, slot, body));
  }
}
