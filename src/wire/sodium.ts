/** libsodium (libsodium-wrappers-sumo 0.8.4), loaded when it is first needed: starting it costs more than most commands. */

export type Sodium = typeof import('libsodium-wrappers-sumo');

let loading: Promise<Sodium> | undefined;

/**
 * The library, ready for use. Its WebAssembly memory keeps copies of keys and passphrases until the process ends, and
 * grows to what the key derivation needed; nothing here can clear it.
 */
export function loadSodium(): Promise<Sodium> {
  loading ??= import('libsodium-wrappers-sumo').then(async (module) => {
    // the types declare named exports, but at run time the functions are on the default export alone
    const sodium = (module as unknown as { readonly default: Sodium }).default;
    await module.ready;
    return sodium;
  });
  return loading;
}
