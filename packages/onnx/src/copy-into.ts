import { InternalError } from "@rag-ft/core";
import type { Tensor } from "./tensor.js";
import { showShape } from "./value.js";

/** Copies a tensor to the memory that was given for it, if any; returns the one that holds the result. */
export function copyInto(target: Tensor | undefined, made: Tensor): Tensor {
  if (target === undefined) return made;
  if (target.dtype !== made.dtype || target.shape.join() !== made.shape.join()) {
    throw new InternalError(
      `an output ${made.dtype} ${showShape(made.shape)} was given memory for ${target.dtype} ${showShape(target.shape)}`,
    );
  }
  (target.data as Float32Array).set(made.data as Float32Array);
  return { ...made, data: target.data };
}
