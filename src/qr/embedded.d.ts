/** Modules that the build makes; see embedded.js. */
declare module 'embedded:reader-wasm' {
  /** The WebAssembly of the code reader, base64. */
  const base64: string;
  export default base64;
}
declare module 'embedded:scan-script' {
  /** The script of the scan page: one classic script, for a browser. */
  const script: string;
  export default script;
}
