import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { InternalError } from "@rag-ft/core";

/** The configuration that comes with rag-ft, and what in it depends on where rag-ft lies. */
export interface Quickstart {
  config: string;
  /** As `rag-ft run --set` takes them. */
  set: string[];
}

/** Above this file: the package that npm installed, or the repository. */
const PLACES = ["..", "../../.."];

/** pnpm's folder of all packages, each in a folder of its own. */
const STORE = /^(.*[\\/]node_modules[\\/]\.pnpm)(?=[\\/])/;

/** Where the packages lie whose documentation is read, from the present directory. Installed, they are rag-ft's neighbours. */
export function modulesOf(home: string): string {
  const inRepository = existsSync(join(home, "pnpm-workspace.yaml"));
  const store = inRepository ? join(home, "node_modules/.pnpm") : STORE.exec(home)?.[1];
  if (store !== undefined)
    return join(inRepository ? store : relative(process.cwd(), store) || store, "*/node_modules");
  const modules = dirname(home);
  return relative(process.cwd(), modules) || modules;
}

/**
 * The quickstart as it runs from the present directory.
 *
 * @throws InternalError when rag-ft is installed without its configuration.
 */
export function quickstart(workDir: string): Quickstart {
  const here = dirname(fileURLToPath(import.meta.url));
  const home = PLACES.map((place) => join(here, place)).find((folder) =>
    existsSync(join(folder, "configs/quickstart.yaml")),
  );
  if (home === undefined) throw new InternalError("configs/quickstart.yaml is not where rag-ft is installed.");
  const models = join(relative(process.cwd(), home) || ".", "data/models");
  const set = [`work_dir=${workDir}`, `vars.encoder=${models}/tiny-encoder`, `vars.decoder=${models}/tiny-decoder`];
  return { config: join(home, "configs/quickstart.yaml"), set: [...set, `vars.modules=${modulesOf(home)}`] };
}
