import { expect, it } from "vitest";
import { chooseFiles } from "./hub-files.js";

it("a Dense module's weights come along, in one format", () => {
  const kept = [
    "1_Pooling/config.json",
    "2_Dense/config.json",
    "2_Dense/model.safetensors",
    "config.json",
    "model.safetensors",
    "modules.json",
    "tokenizer.json",
  ];
  const listing = [...kept, "2_Dense/pytorch_model.bin", "onnx/model.onnx", "openvino/model.safetensors"].map(
    (path) => ({
      type: "file" as const,
      path,
      size: 1,
      oid: "0".repeat(40),
    }),
  );
  expect(chooseFiles("m", listing, "all").map(({ path }) => path)).toEqual(kept);
});
