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
  // Installed, its neighbours are the documentation; in the repository the configuration names the folders of pnpm.
  const modules = dirname(home);
  if (existsSync(join(home, "pnpm-workspace.yaml"))) {
    return {
      config: join(home, "configs/quickstart.yaml"),
      set: [...set, `vars.modules=${join(home, "node_modules/.pnpm/*/node_modules")}`],
    };
  }
  return {
    config: join(home, "configs/quickstart.yaml"),
    set: [...set, `vars.modules=${relative(process.cwd(), modules) || modules}`],
  };
}
