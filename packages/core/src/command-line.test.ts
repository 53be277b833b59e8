import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { commandLine } from "./command-line.js";

test("a shell reads the line as the flags it was made of, whatever the values hold", () => {
  const hostile = 'it\'s $HOME `id` "x" \\n; rm\nsecond line';
  const line = commandLine({
    command: "copy",
    settings: { a: hostile, b: ["x", "y z"], c: true, d: [], e: undefined, f: 0, g: "", h: "<|im_end|>\n" },
  });
  const words = execFileSync("sh", ["-c", `printf '%s\\0' ${line}`], { encoding: "utf8" }).split("\0");
  expect(words.slice(0, -1)).toEqual([
    "rag-ft",
    "copy",
    `--a=${hostile}`,
    "--b=x",
    "--b=y z",
    "--c=true",
    "--f=0",
    "--g=",
    "--h=<|im_end|>\n",
  ]);
  expect(commandLine({ command: "copy", settings: { b: ["x"], c: "/a/b-1.json" } })).toBe(
    "rag-ft copy \\\n  --b=x \\\n  --c=/a/b-1.json",
  );
});
