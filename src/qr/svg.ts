/** A code as an SVG drawing: a white ground and one black path, sharp at every size. */
import { type Modules, QUIET_ZONE } from './code.ts';

/** A stretch of black squares in a row of a code. */
export interface Run {
  readonly x: number;
  readonly y: number;
  readonly length: number;
}

/** The black squares of a code, row by row, as stretches: a third of the rectangles. */
export function runsOf(modules: Modules): Run[] {
  const runs: Run[] = [];
  modules.forEach((row, y) => {
    for (let x = 0; x < row.length; x++) {
      if (row[x] !== true) continue;
      let end = x + 1;
      while (row[end] === true) end += 1;
      runs.push({ x, y, length: end - x });
      x = end;
    }
  });
  return runs;
}

/**
 * The drawing, a document of its own that loads nothing.
 * @param options.border squares of quiet zone, default 4 @param options.scale pixels a square if nothing else says a size, default 8
 */
export function codeSvg(modules: Modules, options: { readonly border?: number; readonly scale?: number } = {}): string {
  const border = options.border ?? QUIET_ZONE;
  const side = modules.length + 2 * border;
  const pixels = String(side * (options.scale ?? 8));
  const path = runsOf(modules).map(({ x, y, length }) => `M${String(x + border)} ${String(y + border)}h${String(length)}v1h-${String(length)}z`);
  const size = String(side);
  // some programs that draw SVG draw the edge of a path unless told not to
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${pixels}" height="${pixels}" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges" stroke="none" role="img">` +
    `<rect width="${size}" height="${size}" fill="#fff"/><path d="${path.join('')}"/></svg>\n`
  );
}
