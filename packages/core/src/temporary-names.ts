import { randomBytes } from "node:crypto";
import { basename, dirname, join } from "node:path";

const NAME = /^\.(?<target>.+)\.(?<pid>\d+)-[0-9a-f]{8}\.tmp(?<old>\.old)?$/;

/** A name beside `path` for what is to take its place: hidden, with the process that writes it. */
export function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}-${randomBytes(4).toString("hex")}.tmp`);
}

/** Where a folder waits while the one at `temporary` takes its place. */
export function replacedName(temporary: string): string {
  return `${temporary}.old`;
}

export interface TemporaryName {
  /** The name that it was to have. */
  target: string;
  /** The process that made it. */
  pid: number;
  /** It is what stood at the target before. */
  replaced: boolean;
}

/** Takes a file's name apart; undefined when it is not one of a temporary. */
export function parseTemporaryName(name: string): TemporaryName | undefined {
  const groups = NAME.exec(name)?.groups;
  if (!groups) return undefined;
  return { target: groups.target as string, pid: Number(groups.pid), replaced: groups.old !== undefined };
}
