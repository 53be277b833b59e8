import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DataError, UserError } from "../errors.js";
import { parseShardName, shardPaths } from "./shard.js";
import { dataProblem, readShardRecord, type ShardRecord } from "./shard-record.js";

/** The parts of one file, all of them and whole. */
export interface ShardSet {
  name: string;
  stage: string;
  of: number;
  settings: ShardRecord["settings"];
  /** In order. */
  parts: { record: ShardRecord; data: string }[];
}

/** As many as a sentence can name. */
const NAMED = 20;

function listed(items: readonly string[]): string {
  if (items.length > NAMED) return `${items.slice(0, NAMED).join(", ")} and ${items.length - NAMED} more`;
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}

const shards = (numbers: readonly number[]): string =>
  `shard${numbers.length === 1 ? "" : "s"} ${listed(numbers.map(String))}`;
const flags = (numbers: readonly number[], of: number): string =>
  listed(numbers.map((number) => `--shard ${number}/${of}`));

interface Found {
  name: string;
  of: number;
  /** A file of it is there, not only the folder of a worker. */
  isVisible: boolean;
  records: Map<number, ShardRecord>;
}

const byNumber = (a: Found, b: Found): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.of - b.of);

/** The files that a folder has parts of. */
async function findSets(folder: string): Promise<Found[]> {
  const names = await readdir(folder).catch((cause) => {
    throw new UserError(
      `${folder}: cannot be read as a folder (expected the folder shards in a stage's save_dir). Check the path.`,
      { cause },
    );
  });
  const found = new Map<string, Found>();
  for (const file of names) {
    // The folder of a worker that runs, or was killed, has the name too, hidden: its part is begun.
    const visible = parseShardName(file);
    const parsed = visible ?? parseShardName(`${file.replace(/^\./, "")}.jsonl`);
    if (parsed === undefined) continue;
    const key = `${parsed.name} ${parsed.shard.of}`;
    const set = found.get(key) ?? { name: parsed.name, of: parsed.shard.of, isVisible: false, records: new Map() };
    set.isVisible ||= visible !== undefined;
    found.set(key, set);
    if (!parsed.isRecord) continue;
    const record = await readShardRecord(join(folder, file));
    const { index, of } = parsed.shard;
    // A record that lies under another part's name says nothing of this one.
    if (record?.name === parsed.name && record.shard === index && record.of === of) set.records.set(index, record);
  }
  // What was only begun says how many parts there are to be, where nothing else does.
  const all = [...found.values()].sort(byNumber);
  const shown = all.filter(({ isVisible }) => isVisible);
  return shown.length > 0 ? shown : all;
}

/** The value that most parts have, and the parts that have another. */
function odd(parts: readonly ShardRecord[], partOf: (record: ShardRecord) => unknown) {
  const groups = new Map<string, ShardRecord[]>();
  for (const record of parts) {
    const key = JSON.stringify(partOf(record));
    groups.set(key, [...(groups.get(key) ?? []), record]);
  }
  const [usual = [], ...others] = [...groups.values()].sort((a, b) => b.length - a.length);
  return { usual: usual[0], others: others.flat().sort((a, b) => a.shard - b.shard) };
}

/** `chunk_size is 300, not 400; …` */
function differences(one: Record<string, unknown>, usual: Record<string, unknown>): string {
  const keys = [...new Set([...Object.keys(one), ...Object.keys(usual)])];
  const shown = (value: unknown): string => {
    const text = JSON.stringify(value) ?? "left out";
    return text.length > 20 ? `${text.slice(0, 12)}…` : text;
  };
  return keys
    .filter((key) => JSON.stringify(one[key]) !== JSON.stringify(usual[key]))
    .map((key) => `${key} is ${shown(one[key])}, not ${shown(usual[key])}`)
    .join("; ");
}

async function problemsOf(folder: string, { name, of, records }: Found): Promise<string[]> {
  const problems: string[] = [];
  const stages = [...records.values()].map(({ stage }) => stage);
  const command = stages[0] ?? "the stage";
  const missing = Array.from({ length: of }, (_, i) => i + 1).filter((number) => !records.has(number));
  if (missing.length > 0)
    problems.push(
      `${folder}: of the ${of} shards of ${name}, ${shards(missing)} ${missing.length === 1 ? "is" : "are"} not done; ` +
        `run ${command} with ${flags(missing, of)} (what a killed worker left is gone on with), or copy their .jsonl and .json here.`,
    );
  const parts = [...records.values()].sort((a, b) => a.shard - b.shard);
  for (const record of parts) {
    const { data } = shardPaths(folder, name, { index: record.shard, of });
    const problem = await dataProblem(data, record.data);
    if (problem !== undefined)
      problems.push(`${data}: ${problem}; copy it again, or run ${command} with --shard ${record.shard}/${of} again.`);
  }
  for (const [what, partOf] of [
    ["settings", ({ stage, settings }: ShardRecord) => ({ stage, ...settings })],
    ["inputs", ({ inputs }: ShardRecord) => inputs],
  ] as const) {
    const { usual, others } = odd(parts, partOf);
    const [first] = others;
    if (usual === undefined || first === undefined) continue;
    const numbers = others.map(({ shard }) => shard);
    problems.push(
      `${folder}: ${shards(numbers)} of ${name} ${numbers.length === 1 ? "was" : "were"} made of other ${what} than the others ` +
        `(of shard ${first.shard}, ${differences(partOf(first), partOf(usual))}); run ${command} with ${flags(numbers, of)} again, ` +
        `with the ${what} of the others.`,
    );
  }
  return problems;
}

/**
 * The files that a folder has parts of, each checked: all parts are there and whole, and were made by the same settings of the same inputs.
 *
 * @param only - the name of a file, where the folder has parts of several and one is meant
 * @throws DataError that names the parts that are not, in one sentence for each kind of problem
 */
export async function readShardSets(folder: string, only?: string): Promise<ShardSet[]> {
  const found = (await findSets(folder)).filter(({ name }) => only === undefined || name === only);
  if (found.length === 0) {
    throw new UserError(
      `${folder}: no shard${only === undefined ? "" : ` of ${only}`} is there (expected files such as documents-00001-of-00016.json). ` +
        "Run the stage with --shard first, or check the path.",
    );
  }
  const twice = found.find(({ name }, i) => found[i + 1]?.name === name);
  if (twice !== undefined) {
    const counts = found.filter(({ name }) => name === twice.name).map(({ of }) => String(of));
    throw new DataError(
      `${folder}: ${twice.name} is there in ${listed(counts)} shards; remove the files of those that are not meant.`,
    );
  }
  const problems = (await Promise.all(found.map((set) => problemsOf(folder, set)))).flat();
  if (problems.length > 0) throw new DataError(problems.join("\n"));
  return found.map(({ name, of, records }) => {
    const parts = [...records.values()]
      .sort((a, b) => a.shard - b.shard)
      .map((record) => ({ record, data: shardPaths(folder, name, { index: record.shard, of }).data }));
    const { stage, settings } = (parts[0] as ShardSet["parts"][number]).record;
    return { name, stage, of, settings, parts };
  });
}
