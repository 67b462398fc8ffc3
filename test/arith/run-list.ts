/** The list of powers as a program, for versions of node that run no tests: `test/interop/node-versions.mjs`. Ends with 1 when anything is wrong. */
import { modPow, exactPower, usesOpenssl } from '../../src/arith/modexp.ts';
import { failuresOf, moduliOf, outcome, randomFailures, REFUSED, SIZES } from './powers.ts';

// the exact mode takes half a minute to set up the longest primes, and a plain power of full length modulo 8192 bits half a second
const all = process.argv.includes('--all');
const failures: string[] = usesOpenssl() ? [] : ['OpenSSL is not used'];
let cases = 0;
for (const bits of SIZES)
  for (const modulus of moduliOf(bits)) {
    const result = failuresOf(modulus, modulus.slow && !all ? ['once'] : ['once', 'reuse'], all || undefined);
    failures.push(...result.failures.map((f) => `${f} of ${String(bits)} bits`));
    cases += result.cases;
  }
failures.push(...randomFailures(1000));
cases += 2000;
for (const [name, m] of REFUSED)
  for (const power of [() => modPow(5n, 3n, m), () => exactPower(m)(5n, 3n)]) {
    cases++;
    if (outcome(power) !== 'E_MODULUS') failures.push(`${name} is taken for a modulus`);
  }
for (const failure of failures) console.log(failure);
console.log(`node ${process.version}, OpenSSL ${process.versions.openssl}: ${String(cases)} powers, ${String(failures.length)} wrong`);
process.exitCode = failures.length === 0 ? 0 : 1;
