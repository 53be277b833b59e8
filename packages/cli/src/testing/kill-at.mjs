// Preloaded (`node --import`) into a command that is to be killed: the process ends itself with SIGKILL right before a change of the
// disk, or in the middle of a write. Between two changes of the disk a kill leaves the same behind, so these are all moments there are.
//
// KILL_UNDER: the folder whose changes count. KILL_AT: a number of the change, from 1, or a pattern that its name matches.
// KILL_LOG: a file that gets the names of all changes, for a run that is not killed.
import { appendFileSync } from "node:fs";
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { relative, resolve } from "node:path";

const { KILL_UNDER: under, KILL_AT: at = "", KILL_LOG: log } = process.env;
const pattern = /^\d*$/.test(at) ? undefined : new RegExp(at);
const real = { ...fs };
let changes = 0;

/** Whether the change about to be made is the one to be killed at. */
function isChosen(name, ...paths) {
  const inside = paths.map((path) => relative(under, resolve(String(path))));
  if (inside.every((path) => path.startsWith(".."))) return false;
  changes++;
  const change = `${name} ${inside.join(" ")}`;
  if (log) appendFileSync(log, `${change}\n`);
  return pattern ? pattern.test(change) : changes === Number(at);
}

async function die() {
  process.kill(process.pid, "SIGKILL");
  await new Promise(() => {});
}

const half = (data) => data.slice(0, Math.floor(data.length / 2));

// Making a folder is left out: a kill before the next change shows the same.
for (const name of ["rename", "rm", "copyFile", "link", "cp"]) {
  fs[name] = async (...args) => {
    // The last path is the one that comes into being; a rename also changes where it came from.
    const paths = ["rename", "copyFile", "link", "cp"].includes(name) ? args.slice(0, 2) : args.slice(0, 1);
    if (isChosen(name, ...(name === "rename" ? paths : paths.slice(-1)))) await die();
    return real[name](...args);
  };
}
for (const name of ["appendFile", "writeFile"]) {
  fs[name] = async (path, data, ...rest) => {
    if (isChosen(name, path)) {
      await real[name](path, half(data), ...rest);
      await die();
    }
    return real[name](path, data, ...rest);
  };
}
fs.open = async (path, flags, ...rest) => {
  const writes = typeof flags === "string" && flags !== "r";
  if (writes && isChosen("open", path)) await die();
  const file = await real.open(path, flags, ...rest);
  if (!writes) return file;
  let begun = false;
  for (const name of ["writeFile", "appendFile"]) {
    const write = file[name].bind(file);
    file[name] = async (data, ...more) => {
      // A file of many parts is cut off in its first.
      const first = !begun;
      begun = true;
      if (first && isChosen("write", path)) {
        await write(half(data), ...more);
        await die();
      }
      return write(data, ...more);
    };
  }
  return file;
};
syncBuiltinESMExports();
