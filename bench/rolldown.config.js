// For benchmarks that need what the build embeds: rolldown -c bench/rolldown.config.js --input bench/NAME.ts -d FOLDER
import { embedded } from '../embedded.js';

export default { platform: 'node', logLevel: 'warn', plugins: [embedded()] };
