/** Codes as text: what a USB scanner types, what somebody pasted. Nothing of node, since the scan page reads such texts too. */

/**
 * Every UR in a text, one a line or, from a scanner that sends no Enter, one directly after the other. Whatever else stands
 * there is left out.
 * @param most no more than so many are looked for
 */
export function codesInText(text: string, most = Infinity): string[] {
  const [begin, end] = [/ur:/gi, /\s|ur:/gi];
  const found: string[] = [];
  for (let at = begin.exec(text); at && found.length < most; at = begin.exec(text)) {
    end.lastIndex = begin.lastIndex;
    begin.lastIndex = end.exec(text)?.index ?? text.length;
    found.push(text.slice(at.index, begin.lastIndex));
  }
  return found;
}
