/** Codes as text: what a USB scanner types, what somebody pasted. Nothing of node, since the scan page reads such texts too. */

/**
 * Every UR in a text, one a line or, from a scanner that sends no Enter, one directly after the other. Whatever else stands
 * there is left out.
 */
export function codesInText(text: string): string[] {
  return text.split(/\s+|(?=ur:)/i).filter((word) => /^ur:/i.test(word));
}
