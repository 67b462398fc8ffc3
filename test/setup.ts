/** Before every test file: libsodium, which a program loads when it first handles sealed boxes. */
import { sealingReady } from '../src/sharing/sealing-group.ts';

await sealingReady();
