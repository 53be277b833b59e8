import { UserError } from "@rag-ft/core";
import { ALL_LINEAR } from "@rag-ft/train";
import type { FrozenPart } from "../frozen/frozen-part.js";

/** The part of a layer's name that is the same in every block: `self_attn.q_proj` of `model.layers.3.self_attn.q_proj`. */
function kindOf(layer: string): string {
  return layer.replace(/^.*\.\d+\./, "");
}

function kindsOf(layers: readonly string[]): string[] {
  return [...new Set(layers.map(kindOf))];
}

/** PEFT's rule: a target is a module's whole name or its end, from a dot on. */
function isNamed(layer: string, target: string): boolean {
  return target === ALL_LINEAR || layer === target || layer.endsWith(`.${target}`);
}

/**
 * The layers that `targets` name, in the model's order.
 *
 * @throws UserError naming a target that no layer has, and those there are.
 */
export function chooseLayers(layers: readonly string[], targets: readonly string[]): string[] {
  for (const target of targets) {
    if (layers.some((layer) => isNamed(layer, target))) continue;
    throw new UserError(
      `lora_target_modules: this model has no linear layer named ${JSON.stringify(target)}. Known: ${[ALL_LINEAR, ...kindsOf(layers)].join(", ")}, or ends of these, such as ${layers[0]?.split(".").at(-1)}.`,
    );
  }
  return layers.filter((layer) => targets.some((target) => isNamed(layer, target)));
}

/**
 * Those of the chosen layers that are not frozen.
 *
 * @throws UserError when all of them are.
 */
export function layersAbove(chosen: readonly string[], frozen: FrozenPart | undefined): string[] {
  const above = chosen.filter((layer) => !frozen?.linear.has(layer));
  if (above.length > 0 || !frozen) return above;
  throw new UserError(
    `lora_target_modules: all ${chosen.length} linear layers that it names, such as ${chosen[0]}, are frozen: freeze_layers is ${frozen.layers} of ${frozen.of}. Name some of the layers above, or leave it out.`,
  );
}

/** The shortest list of targets that names `chosen` and no other module of Python's model: kinds of layers, or whole names. */
export function targetsOf(chosen: readonly string[], layers: readonly string[]): string[] {
  const kinds = kindsOf(chosen);
  return chooseLayers(layers, kinds).length === chosen.length ? kinds : [...chosen];
}
