import { UserError } from "@rag-ft/core";
import { expect, it } from "vitest";
import { chooseLayers, targetsOf } from "./choose-layers.js";

const parts = ["attention.self.query", "attention.self.value", "attention.output.dense", "output.dense"];
const layers = [0, 1, 10].flatMap((layer) => parts.map((part) => `encoder.layer.${layer}.${part}`));

it("a target is a layer's whole name or its end, as PEFT takes it", () => {
  expect(chooseLayers(layers, ["all-linear"])).toEqual(layers);
  expect(chooseLayers(layers, ["value", "query"])).toEqual(layers.filter((layer) => /query|value/.test(layer)));
  // PEFT's rule: the attention's output ends in output.dense too.
  expect(chooseLayers(layers, ["output.dense"])).toEqual(layers.filter((layer) => layer.endsWith("dense")));
  expect(chooseLayers(layers, ["encoder.layer.1.output.dense"])).toEqual(["encoder.layer.1.output.dense"]);
  expect(chooseLayers(layers, ["0.output.dense"])).toEqual(["encoder.layer.0.output.dense"]);
});

it("an unknown name is an error that lists those there are", () => {
  const choose = (): string[] => chooseLayers(layers, ["query", "q_proj"]);
  expect(choose).toThrow(UserError);
  expect(choose).toThrow(
    'lora_target_modules: this model has no linear layer named "q_proj". Known: all-linear, attention.self.query, attention.self.value, attention.output.dense, output.dense, or ends of these, such as query.',
  );
  expect(() => chooseLayers(layers, ["uery"])).toThrow(/named "uery"/);
});

it("PEFT is told kinds of layers where they name the same ones, else whole names", () => {
  expect(targetsOf(chooseLayers(layers, ["query", "value"]), layers)).toEqual(parts.slice(0, 2));
  expect(targetsOf(chooseLayers(layers, ["dense"]), layers)).toEqual(parts.slice(2));
  const one = ["encoder.layer.1.output.dense"];
  expect(targetsOf(one, layers)).toEqual(one);
  // `output.dense` alone would also name the attention's.
  const outer = layers.filter((layer) => /\d\.output\.dense/.test(layer));
  expect(targetsOf(outer, layers)).toEqual(outer);
});
