// node scripts/pack.mjs FOLDER: makes the npm packages of the built workspace in FOLDER, each as a folder that can be published and as a tarball; prints the tarballs.
// - rag-ft: the workspace's packages lie in its folder packages and import each other by path (not every installer knows bundled dependencies: yarn looks for them in the
//   registry); what others publish stays outside, as usual dependencies.
// - the adapters (rag-ft-ai-sdk, rag-ft-langchain): small, with rag-ft as a peer.
// - the compiled part of bf16 for this platform, where there is one and a compiler: rag-ft names it as optional.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const OWN = "@rag-ft/";
/** Of the workspace what the package rag-ft gives as its library. */
const LIBRARY = `${OWN}answer`;
const ADAPTERS = ["rag-ft-ai-sdk", "rag-ft-langchain"];
const [given] = process.argv.slice(2);
if (given === undefined) {
  console.error("usage: node scripts/pack.mjs FOLDER");
  process.exit(2);
}
const folder = resolve(given);

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

const sorted = (record) => Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
const writeManifest = (to, manifest) =>
  writeFileSync(join(to, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);

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

/** What is not in the package and these packages need, or can do without (`optionalDependencies`): what others publish, and what of ours is published by itself. */
function outside(names, kind = "dependencies") {
  const dependencies = {};
  for (const name of names) {
    for (const [other, given] of Object.entries(manifests.get(name).manifest[kind] ?? {})) {
      if (other.startsWith(OWN)) continue;
      const version = given.startsWith("workspace:") ? manifests.get("rag-ft").manifest.version : given;
      if (dependencies[other] !== undefined && dependencies[other] !== version) {
        console.error(
          `${other}: ${dependencies[other]} and ${version} (${name}). Give it one version in the workspace.`,
        );
        process.exit(1);
      }
      dependencies[other] = version;
    }
  }
  return dependencies;
}

/** What is installed by who uses it alone, such as the clients of databases. */
function optionalPeers(names) {
  const peerDependencies = sorted(outside(names, "peerDependencies"));
  const optional = Object.fromEntries(Object.keys(peerDependencies).map((name) => [name, { optional: true }]));
  return { peerDependencies, peerDependenciesMeta: optional };
}

/** Provenance is checked against it. It is known where the workflow runs. */
function repository({ folder: directory }) {
  const { GITHUB_REPOSITORY } = process.env;
  if (!GITHUB_REPOSITORY) return {};
  const url = `git+https://github.com/${GITHUB_REPOSITORY}.git`;
  return { repository: { type: "git", url, ...(directory ? { directory } : {}) } };
}

function emptyStage(name) {
  const stage = join(folder, name);
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  return stage;
}

/** Calls `change` on the text of every file of code and of types in a folder. */
function rewriteCode(at, change) {
  for (const path of readdirSync(at, { recursive: true })) {
    if (!/\.(js|d\.ts)$/.test(path)) continue;
    const file = join(at, path);
    writeFileSync(file, change(readFileSync(file, "utf8"), file));
  }
}

/** Imports of the workspace's packages, by name: in code after `from`, `import` or `import(`. */
const IMPORTED = new RegExp(`(\\bfrom |\\bimport |\\bimport\\()"${OWN}([a-z0-9-]+)"`, "g");

function makeMain() {
  const stage = emptyStage("rag-ft");
  const cli = manifests.get("rag-ft").manifest;
  const ours = [...needed("rag-ft")].filter((name) => name !== "rag-ft").sort();
  const placeOf = (name) => join(stage, "packages", manifests.get(name).name);
  copyPackage("rag-ft", stage);
  for (const name of ours) {
    copyPackage(name, placeOf(name));
    // Its version is told, and what it depends on decides whether files that were read are read anew (`programVersion`).
    writeManifest(placeOf(name), {
      name,
      version: cli.version,
      private: true,
      type: "module",
      dependencies: sorted(outside([...needed(name)])),
    });
  }
  for (const part of ["data/models", "configs", "docs", "skills"])
    cpSync(join(root, part), join(stage, part), { recursive: true });
  for (const file of ["README.md", "LICENSE"]) cpSync(join(root, file), join(stage, file));
  for (const file of ["dist/library.js", "dist/library.d.ts"])
    writeFileSync(join(stage, file), `export * from "${LIBRARY}";\n`);
  for (const part of ["dist", "packages"]) {
    rewriteCode(join(stage, part), (text, file) =>
      text.replace(IMPORTED, (_, before, name) => {
        const entry = relative(dirname(file), join(placeOf(OWN + name), "dist/index.js")).replaceAll(sep, "/");
        return `${before}"${entry.startsWith(".") ? entry : `./${entry}`}"`;
      }),
    );
  }
  writeManifest(stage, {
    name: "rag-ft",
    version: cli.version,
    description:
      "Turns documentation into a question-answering system of your own: data, fine-tuning on ONNX Runtime, evaluation, serving",
    keywords: ["rag", "fine-tuning", "retrieval", "onnx", "embeddings", "llm", "question-answering"],
    license: cli.license,
    ...repository({}),
    type: "module",
    engines: cli.engines,
    bin: cli.bin,
    exports: { ".": { types: "./dist/library.d.ts", default: "./dist/library.js" } },
    files: ["dist", "packages", "data", "configs", "docs", "skills"],
    dependencies: sorted(outside(["rag-ft", ...ours])),
    optionalDependencies: sorted(outside(["rag-ft", ...ours], "optionalDependencies")),
    ...optionalPeers(["rag-ft", ...ours]),
  });
  return stage;
}

/** An adapter names the library as the workspace does; outside it is the package rag-ft. */
function makeAdapter(name) {
  const { manifest, name: folderName } = manifests.get(name);
  const stage = emptyStage(name);
  copyPackage(name, stage);
  rewriteCode(join(stage, "dist"), (text) => text.replaceAll(`"${LIBRARY}"`, '"rag-ft"'));
  cpSync(join(root, "packages", folderName, "README.md"), join(stage, "README.md"));
  cpSync(join(root, "LICENSE"), join(stage, "LICENSE"));
  const { version, description, license, type, engines, files, peerDependencies, exports } = manifest;
  const { types, default: entry } = exports["."];
  writeManifest(stage, {
    name,
    version,
    description,
    keywords: ["rag", "retrieval", "embeddings", folderName],
    license,
    ...repository({ folder: `packages/${folderName}` }),
    type,
    engines,
    exports: { ".": { types, default: entry } },
    files,
    dependencies: sorted(outside([name])),
    peerDependencies: { ...peerDependencies, "rag-ft": `^${manifests.get("rag-ft").manifest.version}` },
  });
  return stage;
}

/** The native part of @rag-ft/bf16, compiled for this platform, where its packages/bf16 has a folder for it. */
function makeCompiled() {
  const platform = `${process.platform}-${process.arch}`;
  const from = join(root, "packages/bf16");
  if (!existsSync(join(from, platform))) {
    console.error(`rag-ft-bf16-${platform}: none is made, packages/bf16 has no folder ${platform}.`);
    return [];
  }
  const name = `rag-ft-bf16-${platform}`;
  const stage = emptyStage(name);
  const compiled = spawnSync(process.execPath, [join(from, "compile.mjs"), join(stage, "bf16.node")], {
    encoding: "utf8",
  });
  if (compiled.status !== 0) {
    console.error(`${name}: ${compiled.stderr.trim()}`);
    process.exit(1);
  }
  cpSync(join(root, "LICENSE"), join(stage, "LICENSE"));
  const { description, license, os, cpu, files } = read(join(from, platform, "package.json"));
  const { version } = manifests.get("rag-ft").manifest;
  const place = repository({ folder: `packages/bf16/${platform}` });
  writeManifest(stage, { name, version, description, license, ...place, os, cpu, files });
  return [stage];
}

for (const stage of [makeMain(), ...makeCompiled(), ...ADAPTERS.map(makeAdapter)]) {
  const packed = spawnSync("npm", ["pack", "--pack-destination", folder], { cwd: stage, encoding: "utf8" });
  if (packed.status !== 0) {
    console.error(packed.stderr);
    process.exit(1);
  }
  console.log(join(folder, packed.stdout.trim().split("\n").at(-1)));
}
