/**
 * Text from outside on a screen. A file's name, a path in a parcel, a field of a plan may hold characters that a terminal
 * obeys instead of showing: they could clear the screen, write elsewhere on it, or turn the order of letters around. Every
 * text that reaches a terminal passes here once; the program's own colours are added afterwards.
 */

// C0 but the line feed, DEL, C1 (which holds CSI and OSC), and what turns the direction of writing (UAX #9)
const OBEYED = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

function named(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
}

/** The text with every character that a terminal would obey written as `\xNN` or `\uNNNN`. Line feeds stay. */
export function visible(text: string): string {
  return text.replace(OBEYED, named);
}

/** The same for a text that is one line by its nature, as a file's name: line feeds are written as `\x0a`. */
export function visibleLine(text: string): string {
  return visible(text).replaceAll('\n', '\\x0a');
}

/** JSON on one line, with the same characters escaped: the same value, read by scripts and now and then by a terminal. */
export function visibleJson(value: unknown): string {
  return JSON.stringify(value).replace(OBEYED, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
