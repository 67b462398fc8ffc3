/**
 * The one physical action that a step ends in. The screen (`nextAction.code`), the printed room script and the answers
 * of `--json` all take their codes from here, so that paper and screen cannot drift.
 */

/** Every action code with its meaning in one line, as the room script prints it. */
export const ACTIONS = {
  CARRY_OUT: 'something was written that must leave this machine: eject the stick and hand it on',
  BRING_IN: 'something must come to this machine: plug in the stick, or place the named file, and run the command again',
  SHOW_QR: 'hold the codes on the screen to the scanner of the next participant',
  SCAN_QR: 'scan the codes that another participant shows',
  COMPARE_WORDS: 'another participant reads words aloud; type the missing ones',
  WRITE_DOWN: 'copy what the screen shows onto paper',
  TYPE_BACK: 'type from the paper what was written down',
  APPROVE: 'read what is to be signed on this screen, and approve or refuse it',
  WITNESS_SIGN: "a witness signs what was seen, on the witness's own machine",
  POWER_OFF: 'switch the machine off and lock it away',
  WAIT: 'nothing to do here until others have sent something',
  DONE: 'this participant has finished the ceremony',
} as const satisfies Record<string, string>;

/** Closed union of the action codes. */
export type ActionCode = keyof typeof ACTIONS;

/** All codes, in the order of {@link ACTIONS}. */
export const ACTION_CODES = Object.keys(ACTIONS) as readonly ActionCode[];

/** Whether a text is an action code; for reading the output of another process. */
export function isActionCode(text: string): text is ActionCode {
  return Object.hasOwn(ACTIONS, text);
}
