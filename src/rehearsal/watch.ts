/** Telling what takes longer than a second. */

/** When work that says nothing new is told of again, in milliseconds. */
const STILL_BUSY = 10_000;

/**
 * Tells, from the second second on and at most once a second, what some work is busy with.
 * @param said what it says at the moment
 * @returns what ends the telling
 */
export function watch(tell: (text: string) => void, said: () => string): () => void {
  const begun = performance.now();
  let told: string | undefined;
  let since = begun;
  const timer = setInterval(() => {
    const text = said();
    const now = performance.now();
    if (text === told && now - since < STILL_BUSY) return;
    tell(text === told ? `${text} (${String(Math.round((now - begun) / 1000))} s)` : text);
    told = text;
    since = now;
  }, 1000);
  return () => {
    clearInterval(timer);
  };
}
