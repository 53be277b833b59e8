import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LeftOut } from "../left-out.js";
import { cleanCharacters } from "./clean-characters.js";
import { decodeBytes } from "./decode-bytes.js";
import { readText } from "./read-text.js";

const latin = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

describe("decoding", () => {
  it("follows a byte order mark, then what the file declares", () => {
    expect(decodeBytes(Buffer.from("\uFEFFPäckchen", "utf16le"), false).text).toBe("Päckchen");
    expect(decodeBytes(Buffer.from("Post office", "utf16le"), false).text).toBe("Post office");
    // 0x97 is a dash in windows-1252 and a control character in Latin-1.
    const page = latin('<meta charset="ISO-8859-1"><p>Stra\xDFe \x97 ja</p>');
    expect(decodeBytes(page, true)).toEqual({ text: '<meta charset="ISO-8859-1"><p>Straße — ja</p>' });
    expect(decodeBytes(Buffer.from('<?xml version="1.0" encoding="utf-8"?>ß'), true).text).toContain("ß");
  });

  it("tells of bytes that are no UTF-8, and where", () => {
    expect(decodeBytes(latin("One\nTwo \xFF\xFE three \xC3("), false)).toMatchObject({
      text: "One\nTwo \uFFFD\uFFFD three \uFFFD(",
      warning: { line: 2, message: expect.stringContaining("U+FFFD") },
    });
    expect(decodeBytes(latin("Caf\xE9 cr\xE8me"), false)).toMatchObject({
      text: "Café crème",
      warning: { line: 1, message: expect.stringContaining("windows-1252") },
    });
    expect(decodeBytes(latin('<meta charset="klingon"><p>Text'), true).warning?.message).toContain("klingon");
  });
});

it("characters that nobody sees go; letters' joiners stay", () => {
  expect(cleanCharacters("a\u200Bb\u00ADc\u202Ed\u2066e\uFEFF\0 f\u00A0g\u2028h")).toBe("abcde f g\nh");
  expect(cleanCharacters("می\u200Cخواهم 👩\u200D🚀")).toBe("می\u200Cخواهم 👩\u200D🚀");
});

describe("readText", () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "rag-ft-bytes-"));
  });
  afterEach(async () => {
    await rm(root, { recursive: true });
  });

  it("gives lines that end alike, without keys and other runs that hold no words", async () => {
    const path = join(root, "a.txt");
    await writeFile(path, `One\r\nTwo\rThree ${"0f".repeat(20_000)} end ${"-".repeat(300)}`);
    const leftOut = new LeftOut();
    expect(await readText(path, { warn: () => {}, leaveOut: leftOut.add })).toBe(
      `One\nTwo\nThree  end ${"-".repeat(300)}`,
    );
    expect(leftOut.counts()).toEqual({ "runs of characters without words": 1 });
  });

  it("refuses what is no text or too large, in one sentence with the path", async () => {
    const path = join(root, "a.md");
    await writeFile(path, Buffer.from([0, 1, 2, 3, 0, 5, 6, 0x41, 0x42]));
    const context = { warn: () => {}, leaveOut: () => {} };
    await expect(readText(path, context)).rejects.toThrow(/a\.md: not a text/);
    await expect(readText(path, context, { mostBytes: 4 })).rejects.toThrow(/a\.md: 1 MB, more than/);
  });
});
