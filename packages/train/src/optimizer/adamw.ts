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

/** AdamW (Loshchilov & Hutter 2019), the update of torch.optim.AdamW, in place over typed arrays. */
export class AdamW {
  step = 0;
  private readonly moments = new Map<string, Moments>();

  constructor(private readonly settings: AdamWSettings = defaultAdamW) {}

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
  update(parameters: Iterable<Parameter>, gradients: ReadonlyMap<string, Float32Array>, lr: number, scale = 1): void {
    this.step++;
    const { beta1, beta2, epsilon, weightDecay } = this.settings;
    const correction1 = 1 - beta1 ** this.step;
    const correction2 = Math.sqrt(1 - beta2 ** this.step);
    const stepSize = lr / correction1;
    for (const { name, data } of parameters) {
      const gradient = gradients.get(name);
      if (!gradient) continue;
      const { first, second } = this.momentsOf(name, data.length);
      const shrink = decays(name) ? 1 - lr * weightDecay : 1;
      for (let i = 0; i < data.length; i++) {
        const g = (gradient[i] as number) * scale;
        const m = beta1 * (first[i] as number) + (1 - beta1) * g;
        const v = beta2 * (second[i] as number) + (1 - beta2) * g * g;
        first[i] = m;
        second[i] = v;
        data[i] = (data[i] as number) * shrink - (stepSize * m) / (Math.sqrt(v) / correction2 + epsilon);
      }
    }
  }

  private momentsOf(name: string, size: number): Moments {
    let moments = this.moments.get(name);
    if (!moments) {
      moments = { first: new Float32Array(size), second: new Float32Array(size) };
      this.moments.set(name, moments);
    }
    return moments;
  }
}
