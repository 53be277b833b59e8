import { cpus, totalmem } from "node:os";
import { type RunRecord, redactSecrets } from "@rag-ft/core";

/** What a run was computed on. */
export function machine(): NonNullable<RunRecord["machine"]> {
  const cores = cpus();
  return {
    platform: process.platform,
    arch: process.arch,
    cpu: cores[0]?.model.trim() ?? "unknown",
    cores: cores.length,
    memory_gb: Math.round(totalmem() / 2 ** 30),
  };
}

/** Variables that decide where models are asked for and come from. */
const RECORDED = ["OPENAI_BASE_URL", "HF_ENDPOINT", "HF_HUB_OFFLINE"] as const;

/** An address may carry a password or a key: only where it leads is kept. */
function withoutCredentials(value: string): string {
  if (value.includes(","))
    return value
      .split(",")
      .map((one) => withoutCredentials(one.trim()))
      .join(",");
  if (!URL.canParse(value)) return redactSecrets(value);
  const { origin, pathname } = new URL(value);
  return `${origin}${pathname}`;
}

export function recordedEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    RECORDED.flatMap((name) => {
      const value = env[name];
      return value ? [[name, withoutCredentials(value)]] : [];
    }),
  );
}
