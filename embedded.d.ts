/** See embedded.js: a plugin for rolldown and vite that serves the modules declared in src/qr/embedded.d.ts. */
export declare function embedded(): {
  name: string;
  enforce: 'pre';
  resolveId(id: string): string | null;
  load(id: string): Promise<{ code: string; moduleSideEffects: boolean } | null>;
};
