import {
  add,
  createSession,
  div,
  floatTensor,
  hostMemory,
  input,
  mul,
  type RunTensor,
  type Session,
  type SessionSettings,
  sqrt,
  sub,
  type Tensor,
  type TensorMemory,
  type Value,
} from "@rag-ft/onnx";

/** A trainable tensor as the optimizer sees it. */
export interface Parameter {
  name: string;
  shape: readonly number[];
  data: Float32Array;
}

export interface AdamWSettings {
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
}

export const defaultAdamW: AdamWSettings = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };

/** Weight decay goes to matrices only: not to biases nor to the scales of norms, as in Hugging Face's Trainer. */
export function decays(name: string): boolean {
  return !(/bias$/.test(name) || /(layer_?norm|norm)[^.]*\.weight$/i.test(name));
}

/** Running means of a parameter's gradient and of its square, of the parameter's size. */
export interface Moments {
  first: Float32Array;
  second: Float32Array;
}

/** All that an optimizer knows beside the parameters: what a resumed run needs to go on exactly. */
export interface OptimizerState {
  /** Steps done. */
  step: number;
  /** By parameter name; the arrays are the optimizer's own. */
  moments: ReadonlyMap<string, Moments>;
}

/** What a step changes, of the shape [elements]; each new value is written in the old one's place. */
const CHANGED = ["weight", "first", "second"] as const;
/** The name of its new value in the graph. */
const after = (name: (typeof CHANGED)[number]): string => `${name} after the step`;

/**
 * The update of torch.optim.AdamW, element by element:
 * m = β₁ m + (1 - β₁) g, v = β₂ v + (1 - β₂) g², w = shrink w - rate m / (√v + floor), where the corrections of m and v, which
 * start at 0, are in `rate` and `floor`.
 */
export function adamWGraph({ beta1, beta2 }: AdamWSettings): Record<string, Value> {
  const elements = (name: string): Value => input(name, "float32", ["elements"]);
  const scalar = (name: string): Value => input(name, "float32", []);
  const gradient = mul(elements("gradient"), scalar("scale"));
  const first = add(mul(elements("first"), beta1), mul(gradient, 1 - beta1));
  const second = add(mul(elements("second"), beta2), mul(mul(gradient, gradient), 1 - beta2));
  const change = mul(div(first, add(sqrt(second), scalar("floor"))), scalar("rate"));
  const weight = sub(mul(elements("weight"), scalar("shrink")), change);
  return { [after("weight")]: weight, [after("first")]: first, [after("second")]: second };
}

/** AdamW (Loshchilov & Hutter 2019), in place where the tensors stand. The arithmetic is ONNX Runtime's, on all its threads or on the device. */
export class AdamW {
  step = 0;
  private readonly moments = new Map<string, Moments>();
  private session: Promise<Session> | undefined;

  /** @param memory Where parameters, gradients and moments stand between runs. */
  constructor(
    private readonly settings: AdamWSettings = defaultAdamW,
    private readonly sessionSettings: Pick<SessionSettings, "threads"> = {},
    private readonly memory: TensorMemory = hostMemory,
  ) {}

  /** The state as it is now; it changes with the next step. */
  state(): OptimizerState {
    return { step: this.step, moments: this.moments };
  }

  /** Takes over a state, its arrays included. */
  restore({ step, moments }: OptimizerState): void {
    this.step = step;
    this.moments.clear();
    for (const [name, kept] of moments) this.moments.set(name, kept);
  }

  /** One step with the gradients (same names and sizes as the parameters), each multiplied by `scale` (clipping). */
  async update(
    parameters: Iterable<Parameter>,
    gradients: ReadonlyMap<string, Float32Array>,
    lr: number,
    scale = 1,
  ): Promise<void> {
    const { memory } = this;
    const staying = CHANGED.map(after);
    this.session ??= createSession(
      { outputs: adamWGraph(this.settings) },
      { ...this.sessionSettings, device: memory.device, staying },
    );
    const session = await this.session;
    this.step++;
    const { beta1, beta2, epsilon, weightDecay } = this.settings;
    const correction = Math.sqrt(1 - beta2 ** this.step);
    const shared = {
      scale: scalarTensor(scale),
      floor: scalarTensor(epsilon * correction),
      rate: scalarTensor((lr * correction) / (1 - beta1 ** this.step)),
    };
    const shrunk = scalarTensor(1 - lr * weightDecay);
    const whole = scalarTensor(1);
    for (const { name, data } of parameters) {
      const gradient = gradients.get(name);
      if (!gradient) continue;
      const arrays = { weight: data, ...this.momentsOf(name, data.length) };
      const shrink = decays(name) ? shrunk : whole;
      const pieces = CHANGED.map((name) => [name, memory.pieces(arrays[name])] as const);
      for (const [i, piece] of memory.pieces(gradient).entries()) {
        const changed = pieces.map(([name, some]) => [name, some[i] as RunTensor] as const);
        const inputs = { ...shared, shrink, gradient: piece, ...Object.fromEntries(changed) };
        await session.run(inputs, Object.fromEntries(changed.map(([name, tensor]) => [after(name), tensor])));
      }
    }
  }

  async close(): Promise<void> {
    await (await this.session)?.close();
  }

  private momentsOf(name: string, size: number): Moments {
    let moments = this.moments.get(name);
    if (!moments) {
      // Filled here: two threads that touch fresh memory at the same time wait for each other.
      moments = { first: new Float32Array(size).fill(0), second: new Float32Array(size).fill(0) };
      this.moments.set(name, moments);
    }
    return moments;
  }
}

const scalarTensor = (value: number): Tensor => floatTensor(Float32Array.of(value), []);
