/** Modules that the build makes; see embedded.js. */
declare module 'embedded:templates' {
  /** The drafts that come with the program: YAML by name, in the order of the names. */
  const texts: Readonly<Record<string, string>>;
  export default texts;
}
