// node scripts/pack.mjs FOLDER: makes the npm package rag-ft of the built workspace, and its tarball, in FOLDER. The workspace's packages go in as bundled
// dependencies, so that paths between their files stay as they are; what others publish stays outside, as usual dependencies.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const OWN = "@rag-ft/";
const [given] = process.argv.slice(2);
if (given === undefined) {
  console.error("usage: node scripts/pack.mjs FOLDER");
  process.exit(2);
}
const folder = resolve(given);
const stage = join(folder, "package");

const read = (path) => JSON.parse(readFileSync(path, "utf8"));
const manifests = new Map(
  readdirSync(join(root, "packages")).map((name) => {
    const manifest = read(join(root, "packages", name, "package.json"));
    return [manifest.name, { name, manifest }];
  }),
);

/** All packages of ours that one needs to run, itself included. */
function needed(name, found = new Set()) {
  if (found.has(name)) return found;
  found.add(name);
  for (const other of Object.keys(manifests.get(name).manifest.dependencies ?? {}))
    if (other.startsWith(OWN)) needed(other, found);
  return found;
}

/** What runs: no tests, no maps, nothing of the compiler's own. */
const isShipped = (path) => !/\.(test\.(js|d\.ts)|map|tsbuildinfo)$/.test(path) && basename(path) !== "testing";

function copyPackage(name, to) {
  const { manifest, name: folderName } = manifests.get(name);
  const from = join(root, "packages", folderName);
  if (!existsSync(join(from, "dist"))) {
    console.error(`packages/${folderName} is not built. Run pnpm build first.`);
    process.exit(2);
  }
  for (const part of manifest.files) {
    cpSync(join(from, part), join(to, part), { recursive: true, filter: isShipped });
  }
}

rmSync(stage, { recursive: true, force: true });
mkdirSync(stage, { recursive: true });
const cli = manifests.get("rag-ft").manifest;
const ours = [...needed("rag-ft")].filter((name) => name !== "rag-ft").sort();
const dependencies = {};
for (const name of ["rag-ft", ...ours]) {
  for (const [other, version] of Object.entries(manifests.get(name).manifest.dependencies ?? {})) {
    if (other.startsWith(OWN)) continue;
    if (dependencies[other] !== undefined && dependencies[other] !== version) {
      console.error(`${other}: ${dependencies[other]} and ${version} (${name}). Give it one version in the workspace.`);
      process.exit(1);
    }
    dependencies[other] = version;
  }
}
copyPackage("rag-ft", stage);
for (const name of ours) {
  const to = join(stage, "node_modules", name);
  copyPackage(name, to);
  const { version, exports } = manifests.get(name).manifest;
  const { types, default: entry } = exports["."];
  writeFileSync(
    join(to, "package.json"),
    `${JSON.stringify({ name, version, type: "module", license: cli.license, exports: { ".": { types, default: entry } } }, null, 2)}\n`,
  );
}
cpSync(join(root, "data/models"), join(stage, "data/models"), { recursive: true });
cpSync(join(root, "configs"), join(stage, "configs"), { recursive: true });
cpSync(join(root, "docs"), join(stage, "docs"), { recursive: true });
for (const file of ["README.md", "LICENSE"]) cpSync(join(root, file), join(stage, file));
// The library: what asks and searches.
writeFileSync(join(stage, "dist/library.js"), `export * from "${OWN}answer";\n`);
writeFileSync(join(stage, "dist/library.d.ts"), `export * from "${OWN}answer";\n`);
const manifest = {
  name: "rag-ft",
  version: cli.version,
  description:
    "Turns documentation into a question-answering system of your own: data, fine-tuning on ONNX Runtime, evaluation, serving",
  keywords: ["rag", "fine-tuning", "retrieval", "onnx", "embeddings", "llm", "question-answering"],
  license: cli.license,
  type: "module",
  engines: cli.engines,
  bin: cli.bin,
  exports: { ".": { types: "./dist/library.d.ts", default: "./dist/library.js" } },
  files: ["dist", "data", "configs", "docs"],
  dependencies: {
    ...Object.fromEntries(Object.entries(dependencies).sort(([a], [b]) => (a < b ? -1 : 1))),
    ...Object.fromEntries(ours.map((name) => [name, manifests.get(name).manifest.version])),
  },
  bundleDependencies: ours,
};
writeFileSync(join(stage, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
const packed = spawnSync("npm", ["pack", "--pack-destination", folder], { cwd: stage, encoding: "utf8" });
if (packed.status !== 0) {
  console.error(packed.stderr);
  process.exit(1);
}
console.log(join(folder, packed.stdout.trim().split("\n").at(-1)));
