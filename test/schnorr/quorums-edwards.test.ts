import { everyQuorum } from './quorum-cases.ts';

everyQuorum(['frost-ed25519', 'frost-ed448']);
