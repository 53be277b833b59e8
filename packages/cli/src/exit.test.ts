import { CancelledError, DataError, InternalError, UserError } from "@rag-ft/core";
import { describe, expect, it } from "vitest";
import { describeFailure } from "./exit.js";

describe("describeFailure", () => {
  it("gives our own errors as a message and their code, without a stack", () => {
    expect(describeFailure(new UserError("no file"))).toEqual({ code: 2, text: "error: no file\n" });
    expect(describeFailure(new DataError("bad line"))).toEqual({ code: 3, text: "error: bad line\n" });
    expect(describeFailure(new CancelledError("Stopped."))).toEqual({ code: 130, text: "error: Stopped.\n" });
  });

  it("shows the stack and the causes of our bugs", () => {
    for (const error of [new TypeError("oops", { cause: new Error("beneath") }), new InternalError("broken")]) {
      const { code, text } = describeFailure(error);
      expect(code).toBe(70);
      expect(text).toContain("exit.test.ts");
    }
    expect(describeFailure(new Error("x", { cause: new Error("beneath") })).text).toContain(
      "caused by: Error: beneath",
    );
    expect(describeFailure("a text").code).toBe(70);
  });

  it("names what the machine lacks", () => {
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), {
      code: "ENOSPC",
      path: "out.jsonl",
    });
    const { code, text } = describeFailure(full);
    expect(code).toBe(2);
    expect(text).toMatch(/^error: out\.jsonl: no space left on the disk/);
    expect(text).not.toContain("exit.test.ts");
  });

  it("says what to do where ONNX Runtime's library does not load", () => {
    const missing = "Cannot find module '../bin/napi-v6/sunos/sparc/onnxruntime_binding.node'\nRequire stack:\n- x";
    const { code, text } = describeFailure(Object.assign(new Error(missing), { code: "MODULE_NOT_FOUND" }));
    expect(code).toBe(2);
    expect(text).toMatch(/^error: ONNX Runtime does not load .*onnxruntime_binding\.node'\. .*install anew .*doctor/);
    expect(text.trimEnd()).not.toContain("\n");
    const other = Object.assign(new Error("Cannot find module './x.js'"), { code: "MODULE_NOT_FOUND" });
    expect(describeFailure(other).code).toBe(70);
  });

  it("takes a library's abort for a stop only when a stop was asked for", () => {
    const abort = Object.assign(new Error("aborted"), { name: "AbortError" });
    expect(describeFailure(abort, true).code).toBe(130);
    expect(describeFailure(abort, false).code).toBe(70);
  });

  it("lets no secret through, in message or stack", () => {
    const secret = `sk-${"a1".repeat(12)}`;
    for (const error of [new UserError(`key ${secret}`), new Error(`key ${secret}`)]) {
      expect(describeFailure(error).text).not.toContain(secret);
    }
  });
});
