// node scripts/publish.mjs FOLDER [--dry-run]: publishes the packages that scripts/pack.mjs made in FOLDER and the registry does not have yet.
// Each is told in the form that changesets' action reads ("New tag: name@version").
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const [folder, ...flags] = process.argv.slice(2);
if (folder === undefined || flags.some((flag) => flag !== "--dry-run")) {
  console.error("usage: node scripts/publish.mjs FOLDER [--dry-run]");
  process.exit(2);
}

function npm(...args) {
  return spawnSync("npm", args, { encoding: "utf8" });
}

/** @returns whether the registry has this version. A registry that is not reached is no reason to publish. */
function isPublished(name, version) {
  const asked = npm("view", `${name}@${version}`, "version", "--json");
  if (asked.status === 0) return asked.stdout.trim() !== "";
  if (/E404/.test(asked.stdout + asked.stderr)) return false;
  console.error(`${name}@${version}: the registry was not reached: ${asked.stderr.trim().split("\n")[0]}`);
  process.exit(1);
}

// What others name comes first: the compiled part of bf16, which the main package names as optional; the main package, which is the adapters' peer.
for (const name of ["rag-ft-bf16-linux-x64", "rag-ft", "rag-ft-ai-sdk", "rag-ft-langchain"]) {
  const stage = resolve(folder, name);
  if (!existsSync(join(stage, "package.json"))) {
    console.error(`${stage}: no package there. Run node scripts/pack.mjs ${folder} first.`);
    process.exit(2);
  }
  const { version } = JSON.parse(readFileSync(join(stage, "package.json"), "utf8"));
  if (isPublished(name, version)) {
    console.log(`${name}@${version} is published already`);
    continue;
  }
  const published = npm("publish", stage, "--access", "public", ...flags);
  if (published.status !== 0) {
    console.error(published.stderr);
    process.exit(1);
  }
  console.log(`New tag: ${name}@${version}`);
}
