// node scripts/try-install.mjs FOLDER [--managers npm,pnpm,yarn,berry] [--quickstart]
// Packs the built workspace, installs the tarballs in an empty folder with each manager, and tries there what somebody would try first: the version, doctor (which finds the compiled part of bf16), the library,
// the adapters (on Node 22 and later, which the AI SDK wants), and with --quickstart the whole flow and a question. Ends with 1 where something failed.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/** How each installs tarballs and other packages, and runs a package's command. */
const MANAGERS = {
  npm: { add: ["npm", "install", "--no-audit", "--no-fund"], run: ["npx", "--no-install"] },
  pnpm: { add: ["npx", "--yes", "pnpm@10", "add", "--prefer-offline"], run: ["npx", "--yes", "pnpm@10", "exec"] },
  yarn: {
    add: ["npx", "--yes", "yarn@1", "add", "--non-interactive", "--ignore-engines"],
    run: ["npx", "--yes", "yarn@1", "--silent", "run"],
  },
  // Yarn 2 and later; packages in node_modules, since native libraries are not run from its archives.
  berry: {
    add: ["npx", "--yes", "@yarnpkg/cli-dist@4", "add"],
    run: ["npx", "--yes", "@yarnpkg/cli-dist@4", "run"],
    file: [".yarnrc.yml", "nodeLinker: node-modules\nenableTelemetry: false\n"],
  },
};
const QUESTION = "What does unist-util-visit do?";
const LIBRARY = 'import { openRag, openSearch } from "rag-ft"; console.log(typeof openRag, typeof openSearch);';
const ADAPTERS =
  'import { createRagFt } from "rag-ft-ai-sdk"; import { RagFtRetriever } from "rag-ft-langchain"; console.log(typeof createRagFt, typeof RagFtRetriever);';
const withAdapters = Number(process.versions.node.split(".")[0]) >= 22;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { managers: { type: "string", default: "npm,pnpm,yarn" }, quickstart: { type: "boolean", default: false } },
});
const [given] = positionals;
const wanted = values.managers.split(",");
if (given === undefined || wanted.some((name) => MANAGERS[name] === undefined)) {
  console.error(
    `usage: node scripts/try-install.mjs FOLDER [--managers ${Object.keys(MANAGERS).join(",")}] [--quickstart]`,
  );
  process.exit(2);
}
const folder = resolve(given);
// Also of a manager that is started by npx: it must not take npm's settings of this folder for its own.
const env = Object.fromEntries(
  Object.entries({ ...process.env, ONNXRUNTIME_NODE_INSTALL_CUDA: "skip" }).filter(
    ([name]) => !/^npm_(config_user_agent|lifecycle|package|execpath)/.test(name),
  ),
);

let failures = 0;
function step(cwd, what, [command, ...args], expected) {
  const startedAt = performance.now();
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    env,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  const good = status === 0 && (expected === undefined || expected.test(stdout));
  console.log(`${good ? "good" : "FAILED"}  ${what}  ${seconds} s`);
  if (!good) {
    failures++;
    console.log(`${stdout}\n${stderr}\n${error ?? ""}`.slice(-6000));
  }
  return { good, stdout };
}

const pack = join(folder, "pack");
rmSync(pack, { recursive: true, force: true });
mkdirSync(pack, { recursive: true });
step(folder, "pack", [process.execPath, fileURLToPath(new URL("pack.mjs", import.meta.url)), pack]);
const tarballs = readdirSync(pack).filter((name) => name.endsWith(".tgz"));
const those = (pattern) => tarballs.filter((name) => pattern.test(name)).map((name) => join(pack, name));
const main = those(/^rag-ft-\d/);
const adapters = those(/^rag-ft-(ai-sdk|langchain)-\d/);
/** The compiled part of bf16 for this platform, where it was made: before it is published no manager finds it by its name. */
const [compiled] = those(/^rag-ft-bf16-/);
const optional = compiled && { [`rag-ft-bf16-${process.platform}-${process.arch}`]: `file:${compiled}` };
/** npm asks for it by name only where the folder does not have it. */
const manifest = {
  name: "try",
  private: true,
  type: "module",
  ...(optional && { dependencies: optional, resolutions: optional, pnpm: { overrides: optional } }),
};

for (const name of wanted) {
  const { add, run, file } = MANAGERS[name];
  const place = join(folder, name);
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  if (file) writeFileSync(join(place, file[0]), file[1]);
  if (!step(place, `${name}: install`, [...add, ...main]).good) continue;
  step(place, `${name}: rag-ft --version`, [...run, "rag-ft", "--version"], /^\d+\.\d+\.\d+/);
  const looked = compiled ? /good +engine[\s\S]*(--precision bf16 multiplies|this processor has no)/ : /good +engine/;
  console.log(step(place, `${name}: rag-ft doctor`, [...run, "rag-ft", "doctor"], looked).stdout.split("\n\n")[0]);
  writeFileSync(join(place, "library.mjs"), LIBRARY);
  step(place, `${name}: the library`, [process.execPath, "library.mjs"], /function function/);
  if (
    withAdapters &&
    step(place, `${name}: install the adapters`, [...add, ...adapters, "ai", "@langchain/core"]).good
  ) {
    writeFileSync(join(place, "adapters.mjs"), ADAPTERS);
    step(place, `${name}: the adapters`, [process.execPath, "adapters.mjs"], /function function/);
  }
  if (!values.quickstart) continue;
  if (!step(place, `${name}: rag-ft quickstart`, [...run, "rag-ft", "quickstart"], /Base against fine-tuned/).good)
    continue;
  console.log(step(place, `${name}: rag-ft ask`, [...run, "rag-ft", "ask", QUESTION]).stdout);
}
process.exit(failures > 0 ? 1 : 0);
