import { join } from "node:path";
import { z } from "zod";

/** One part of a work that is shared out: the `index`-th of `of`, from 1. */
export interface Shard {
  index: number;
  of: number;
}

/** More parts than this make no sense of what a stage reads, and would not fit into the names of files. */
const MOST_SHARDS = 99_999;
const PATTERN = /^\s*(\d{1,5})\s*\/\s*(\d{1,5})\s*$/;

/** `3/16` taken apart; undefined when it is not that, or there is no such part. */
function taken(text: string): Shard | undefined {
  const [, index, of] = PATTERN.exec(text)?.map(Number) ?? [];
  if (index === undefined || of === undefined) return undefined;
  return index >= 1 && index <= of && of <= MOST_SHARDS ? { index, of } : undefined;
}

/** A part as a setting: `3/16`. */
export const shardSetting = (what: string): z.ZodOptional<z.ZodString> =>
  z
    .string()
    .refine((text) => taken(text) !== undefined, {
      error: "must be a part and the number of parts, from 1 on, such as 3/16 (the third of sixteen)",
    })
    .optional()
    .describe(`Do one part alone, such as 3/16: ${what}`);

/** The part that a setting names. */
export function parseShard(text: string): Shard {
  const shard = taken(text);
  if (shard === undefined) throw new RangeError(`${text} is no shard.`);
  return shard;
}

/** As a setting has it: `3/16`. */
export const shardText = ({ index, of }: Shard): string => `${index}/${of}`;

/** Whether the part has what stands at a place (from 0): parts take turns, so that each has as many, and what is long is not in one. */
export const isInShard = ({ index, of }: Shard, place: number): boolean => place % of === index - 1;

/** What a part has of a list. */
export const partOf = <T>(shard: Shard, all: readonly T[]): T[] => all.filter((_, place) => isInShard(shard, place));

/** Bytes that are read at once of each of so many parts: all are read by turns, and together they are to take no more with their number. */
export const bytesAtOnce = (parts: number): number => Math.max(1 << 14, Math.floor(2 ** 25 / Math.max(32, parts)));

/** Folder of the parts in a stage's folder of output. */
export const SHARDS_FOLDER = "shards";

const five = (number: number): string => String(number).padStart(5, "0");

/** Where a part of a file is: `documents-00003-of-00016.jsonl`, its record beside it, and the folder to work in until both are there. */
export function shardPaths(folder: string, name: string, { index, of }: Shard) {
  const whole = `${name}-${five(index)}-of-${five(of)}`;
  return {
    data: join(folder, `${whole}.jsonl`),
    record: join(folder, `${whole}.json`),
    // Hidden, so that it is no document of a folder that holds the output.
    work: join(folder, `.${whole}`),
  };
}

/** The parts of a record's name; undefined when it is none. */
export function parseShardName(file: string): { name: string; shard: Shard; isRecord: boolean } | undefined {
  const [, name, index, of, end] = /^(.+)-(\d{5})-of-(\d{5})\.(jsonl|json)$/.exec(file) ?? [];
  if (name === undefined) return undefined;
  return { name, shard: { index: Number(index), of: Number(of) }, isRecord: end === "json" };
}
