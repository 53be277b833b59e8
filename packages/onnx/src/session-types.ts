import type { RunTensor } from "./device-tensor.js";
import type { Tensor } from "./tensor.js";

export interface SessionSettings {
  /**
   * Threads within an operator; 0 lets ONNX Runtime choose (one for each physical core); -1: the same, and where other processes keep half a core
   * busy, threads sleep while they wait instead of spinning.
   */
  threads?: number;
  /** ONNX Runtime execution provider; operators that it lacks run on the CPU. */
  device?: string;
  /** bf16: matrix products round their factors to bf16, by instructions of the processor that `bf16Kernel` names. On the CPU alone. */
  precision?: Precision;
  /** Outputs that stay in the device's memory, where it can keep them: each run is given a place there for them (see `TensorMemory`). */
  staying?: readonly string[];
}

export type Precision = "fp32" | "bf16";

/** A graph compiled by ONNX Runtime. One session serves every shape that its named dimensions may take. */
export interface Session {
  /**
   * Runs the graph. Inputs are not copied. Outputs are fresh arrays, but for those given in `into`: they are written to the
   * array there, of the output's shape, which may be an input's too. Much is saved when all of them are given: see `UNRETURNED`. Outputs that stay
   * on the device are not returned.
   */
  run(
    inputs: Readonly<Record<string, RunTensor>>,
    into?: Readonly<Record<string, RunTensor>>,
  ): Promise<Record<string, Tensor>>;
  readonly inputNames: readonly string[];
  close(): Promise<void>;
}
