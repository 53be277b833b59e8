/** Floating-point operations of a training step, a parameter and token: forward, and backward for data and weights. Kaplan et al., 2020, "Scaling laws for neural language models", section 2.1. */
const OPERATIONS = 6;
/** Share of the matrix rate that trainings reach on CPUs; docs/engine.md has 0.4 to 0.6. */
const SHARE = 0.45;

/** Seconds that a training would take about, without its evaluations; the embedding table of a small model, which multiplies nothing, makes it less. */
export function trainingSeconds(parameters: number, tokens: number, rate: number): number {
  return (OPERATIONS * parameters * tokens) / (rate * SHARE);
}
