import { add, apply, type Value } from "@rag-ft/onnx";

/**
 * `sum + gradient` as a graph value, made part of the operator that computes the gradient where it can be: a product takes the sum as its
 * addend, a scatter as what it adds to. Gradients of several runs then add up without passing over them once more.
 */
export function accumulateGradient(sum: Value, gradient: Value): Value {
  const { node } = gradient;
  const type = { dtype: gradient.dtype, shape: sum.shape };
  const inputs = node?.inputs ?? [];
  if (node?.op === "Add" && inputs.every((value) => value.shape.join() === sum.shape.join())) {
    return inputs.reduce(accumulateGradient, sum);
  }
  if (node?.op === "Gemm" && inputs.length === 2) return apply("Gemm", [...inputs, sum], type, { ...node.attributes });
  if (node?.op === "ScatterElements" && isZeros(inputs[0])) {
    return apply("ScatterElements", [sum, ...inputs.slice(1)], type, { ...node.attributes });
  }
  return add(sum, gradient);
}

/** Whether a value is zeros repeated to some shape, as `zerosLike` makes. */
function isZeros(value: Value | undefined): boolean {
  const data = value?.node?.op === "Expand" ? value.node.inputs[0]?.data : undefined;
  return data?.every((item: number | bigint) => Number(item) === 0) ?? false;
}
