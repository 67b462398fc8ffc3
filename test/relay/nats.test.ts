/** The contract of a relay on a real nats-server; the public client as oracle and as attacker. */
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { jetstream, type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PIECE_BYTES, storedPart } from '../../src/relay/nats-pieces.ts';
import { natsRelay } from '../../src/relay/nats-relay.ts';
import { checkStream, EXPECTED_STREAM, MAX_STORED, pieceSubject, placeSubject, STREAM, StreamAnswer, type StreamConfig, WANTED_STREAM } from '../../src/relay/nats-stream.ts';
import { MAX_PART_BYTES, type Relay } from '../../src/relay/relay.ts';
import { randomHex } from '../support/hex.ts';
import { type NatsServer, startNats, type Wire, wireTo } from '../support/nats.ts';
import * as v from 'valibot';
