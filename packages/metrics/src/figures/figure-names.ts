import { atDepth, type Figure, type FigureRow } from "./figure.js";
import { depthsOf, FIGURE_ROWS, type FigureDepths, fileName, filePrefix } from "./registry.js";

/**
 * The split and the part of the system: `test_retr/`, `eval_retr/`, `test_gen/`; `eval_` alone before a loss. `eval_of_5000_retr/`: of a part of the
 * database, so many passages.
 */
const PREFIX = /^(?:(?:test|eval|train)_(?:(?:of_(\d+)_)?(retr|gen)\/)?)?/;

interface Place {
  /** Position in the registry. */
  index: number;
  row: FigureRow;
  /** Undefined for a figure without depth, and for a name that does not say it. */
  depth: number | undefined;
  /** Passages of the part of the database that was searched, where it was not the whole. */
  among?: string | undefined;
}

function depthIn(name: string, template: string): number | undefined {
  const [before = "", after] = template.split("{k}");
  if (after === undefined) return name === template ? 0 : undefined;
  const middle = name.slice(before.length, name.length - after.length);
  const isSame = /^\d+$/.test(middle) && name === atDepth(template, Number(middle));
  return isSame && Number(middle) > 0 ? Number(middle) : undefined;
}

function placeOf(name: string): Place | undefined {
  const [prefix = "", among, half] = PREFIX.exec(name) ?? [];
  const rest = name.slice(prefix.length);
  for (const [index, row] of FIGURE_ROWS.entries()) {
    if (half !== undefined && (half === "retr") !== (row.part === "retriever")) continue;
    const depth = depthIn(rest, row.key) ?? (row.file === undefined ? undefined : depthIn(rest, row.file));
    if (depth !== undefined) return { index, row, depth: depth || undefined, among };
    if (rest === row.bare) return { index, row, depth: undefined, among };
  }
  return undefined;
}

/** A title or key with its depth put in, or without any: `MRR@4`, `MRR`. */
const named = (template: string, depth: number | undefined): string =>
  depth === undefined ? template.replace("@{k}", "") : atDepth(template, depth);

function figureAt({ row, depth, among }: Place, name: string, deepest: number, replaced = false): Figure {
  const { key, title, heading = title, part, better, share, digits = 3, spread = false } = row;
  const level = replaced ? "file" : row.level;
  // A part of the database is easier to search: never the same figure.
  const where = among === undefined ? "" : ` among ${among}`;
  return {
    key: named(key, depth) + where,
    name,
    title: named(title, depth) + where,
    heading: named(heading, depth) + where,
    part,
    better,
    share,
    ...(depth === undefined ? {} : { depth }),
    level: typeof level === "string" ? level : level(depth ?? deepest, deepest),
    digits,
    spread: spread && !replaced,
  };
}

/**
 * The figure of a name: of a file (`test_retr/document_recall/recall4`, `eval_retr/mrr`, `test_gen/rougeL`), or among people (`recall@4`,
 * `rougeL`); undefined when it is none of the registry's.
 */
export function figureNamed(name: string): Figure | undefined {
  const place = placeOf(name);
  return place && figureAt(place, name, place.depth ?? 0);
}

/** For people: `recall@4` for `eval_retr/document_recall/recall4`; the name itself where the registry has none. */
export function figureTitle(name: string): string {
  return figureNamed(name)?.title ?? name;
}

/** Names of a file whose figures are shown by others of it, such as `test_gen/rougeL` where `test_gen/rougeL_unicode` is there. */
export function replacedFigures(names: Iterable<string>): Set<string> {
  return new Set(
    [...names].flatMap((name) => {
      const row = placeOf(name)?.row;
      return row?.instead === undefined ? [] : [`${name.slice(0, -row.key.length)}${row.instead}`];
    }),
  );
}

/**
 * The registry's figures among the names of a file, in its order, those of small depths first. A name that does not say its depth, such as
 * `test_retr/mrr`, is left out where one that does stands beside it; one that another is shown in the place of is in files alone.
 */
export function figuresAmong(names: Iterable<string>): Figure[] {
  const all = [...new Set(names)];
  const places = all.flatMap((name) => {
    const place = placeOf(name);
    return place ? [{ ...place, name, isBare: place.row.at !== undefined && place.depth === undefined }] : [];
  });
  const replaced = replacedFigures(all);
  const deepest = (index: number): number =>
    Math.max(0, ...places.map((place) => (place.index === index ? (place.depth ?? 0) : 0)));
  return places
    .filter(({ index, isBare }) => !isBare || deepest(index) === 0)
    .sort((a, b) => a.index - b.index || (a.depth ?? 0) - (b.depth ?? 0))
    .map((place) => figureAt(place, place.name, deepest(place.index), replaced.has(place.name)));
}

/**
 * Names in files of a retriever's figures at these depths, with `prefix` before them (`eval_retr/`): what may decide between checkpoints.
 */
export function retrieverNames(depths: FigureDepths, prefix = filePrefix("retriever")): string[] {
  return FIGURE_ROWS.filter(({ part }) => part === "retriever").flatMap((row) => [
    ...depthsOf(row, depths).map((depth) => `${prefix}${fileName(row, depth)}`),
    ...(row.bare === undefined ? [] : [`${prefix}${row.bare}`]),
  ]);
}

/** A name of any kind as files with `prefix` have it: `eval_retr/document_recall/recall4` for `recall@4`. What is unknown stays as it is. */
export function nameInFiles(name: string, prefix: string): string {
  const place = placeOf(name);
  if (!place) return name;
  const { row, depth } = place;
  return `${prefix}${row.at !== undefined && depth === undefined ? (row.bare ?? row.key) : fileName(row, depth ?? 0)}`;
}
