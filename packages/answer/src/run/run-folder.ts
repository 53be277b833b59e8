import { readFile } from "node:fs/promises";
import { pathKind, UserError } from "@rag-ft/core";
import { parse } from "yaml";
import { z } from "zod";

const configSchema = z.looseObject({ work_dir: z.string().min(1) });

async function workDir(config: string): Promise<string> {
  let value: unknown;
  try {
    value = parse(await readFile(config, "utf8"));
  } catch (cause) {
    throw new UserError(
      `${config}: not valid YAML. Expected the folder of a run, or the YAML file that rag-ft run took.`,
      { cause },
    );
  }
  const parsed = configSchema.safeParse(value);
  if (parsed.success) return parsed.data.work_dir;
  throw new UserError(
    `${config}: names no work_dir. Expected the folder of a run, or the YAML file that rag-ft run took.`,
  );
}

/**
 * The folder of a run, given as itself or as its YAML file.
 *
 * @throws UserError when there is none.
 */
export async function runFolder(given: string): Promise<string> {
  const kind = await pathKind(given);
  if (kind === "folder") return given;
  const folder = kind === "file" ? await workDir(given) : undefined;
  if (folder !== undefined && (await pathKind(folder)) === "folder") return folder;
  throw new UserError(
    folder === undefined
      ? `${given}: no such folder. Expected the folder of a run (work_dir of its YAML file, such as result/quickstart), or name the models: ` +
          "--qa_model_name_or_path, --embedding_model_name_or_path, --document_path."
      : `${given}: its work_dir ${folder} is not there from here. Run it first: rag-ft run ${given}`,
  );
}
