import type { StageResult, TableColumn, TableRow } from "@rag-ft/core";
import type { AdapterTask, FrozenLayers, LoraAdapters, WeightTensor, WholeModules } from "@rag-ft/models";
import type { SessionSettings, TensorMemory } from "@rag-ft/onnx";
import type { Evaluation, Figures, GradientSums, LoraSettings, RunIdentity, StepResult } from "@rag-ft/train";
import type { Place } from "./result/choice.js";
import type { BaseModel } from "./result/choose-result.js";
import type { CardFacts } from "./result/model-card.js";

/** A stage's inputs and its model: all are read and found good, nothing costly is done, no weight is changed. */
export interface OpenedTask {
  /** Folder or hub id of the base, as the user named it. */
  modelName: string;
  base: BaseModel;
  /** Said of the training before adapters are put on, where it is known by now. */
  announcement?: string;
  /** What PEFT wraps the base in. */
  adapterTask: AdapterTask;
  /** What of the model stands whole in `adapter/` beside adapters. */
  wholeBesideAdapters?: WholeModules;
  /** Puts adapters on the model; called only where settings ask for them. */
  adapters(lora: LoraSettings, session: SessionSettings): LoraAdapters;
  /** The stage's costly work before training: examples, masks, sessions. `adapters` are what is trained, if there are any. */
  prepare(session: SessionSettings, adapters: LoraAdapters | undefined): Promise<FineTuneTask>;
}

/** Figures on questions kept apart, which choose nothing. */
export interface TestFigures {
  figures: Figures;
  /** Each question's, by the same names, in order, where a mean over questions is what `figures` holds. */
  rows?: Figures[] | undefined;
}

/** Another system on the same questions: a baseline, or the result together with something. */
export interface OtherSystem {
  /** In the table. */
  name: string;
  /** In test.json. */
  key: string;
  /** Figures on the eval questions; called only with `do_eval`. */
  evaluate(): Promise<Figures>;
  /** Figures on the test questions; called only where there are some. */
  test(): Promise<TestFigures>;
}

/** What a result is compared with, and lines of the summary that say what follows from it. */
export interface Comparison {
  before: readonly OtherSystem[];
  after: readonly OtherSystem[];
  remarks?: readonly string[];
}

/** The test questions, which choose nothing: the base and the result are measured on them. */
export interface TestTask {
  /** Figures of the present weights, which are those of `place`. */
  measure(place: Place): Promise<TestFigures>;
  /** Where each of them comes from, in the order of the rows of `measure`; intervals are by source where they share some. */
  sources?: readonly string[];
  /** What test.json says of the base where it was not measured, without `do_eval`; default: an empty object. */
  unmeasured?: Record<string, null>;
  /** What else test.json says: how many questions. */
  about: Record<string, number>;
  /** The result's figures by their names among those of the run record; left out: test.json alone has them. */
  inRecord?(figures: Figures): Figures;
}

/**
 * A model in training, with all that is one stage's own. The skeleton, `fineTune`, has the rest: lock, adapters, resumption, evaluation of
 * the base, candidates, choice, promotion, choice.json, test.json, table, closing.
 */
export interface FineTuneTask {
  /** Taken of the base's weights: before training changes them. */
  identity: RunIdentity;
  /** Steps of the whole training; 0 without `do_train`. */
  steps: number;
  /** What is trained, all weights or adapters, the sums that `runStep` adds to, and what is frozen. */
  model: {
    trained: ReadonlyMap<string, WeightTensor>;
    gradients: GradientSums;
    /** Where these stand between runs; by default the arrays themselves. */
    memory?: TensorMemory;
    frozen?: Pick<FrozenLayers, "part"> | undefined;
  };
  /** Loss and gradients of step `step`, counted from 1: a function of the weights and this number. */
  runStep(step: number): Promise<StepResult>;
  /** The figure of `evaluate` that chooses, and its direction. */
  metric: { name: string; greaterIsBetter: boolean };
  /** Figures of the present weights, which are those of `place`, on the eval questions. */
  evaluate(place: Place): Promise<Evaluation>;
  /** What the summary's table calls the eval questions, where it is more than `eval`. */
  evalName?: string;
  /** Where each of the eval questions comes from, in the order of the values of `evaluate`; intervals are by source where they share some. */
  sources?: readonly string[];
  test?: TestTask | undefined;
  /** A row's cells in the summary's table, from figures by the names of `evaluate` or of `test`, and the columns that show all rows'. */
  table: { cells(figures: Figures): TableRow; columns(rows: readonly TableRow[]): readonly (string | TableColumn)[] };
  /** Writes the present weights as a model folder, whole or not at all; `extra` adds files before it appears. */
  save(folder: string, extra: (temporary: string) => Promise<void>): Promise<void>;
  /** Files of `output_dir` that belong to its weights and are no part of a checkpoint: removed before others take their place. */
  filesOfWeights?: readonly string[];
  /** Work on the result once it is in `output_dir` and in memory; what stands in the tables before and after the model's own figures. */
  compare?(kept: Place): Promise<Comparison>;
  /** What its model card says; without it none is written. */
  card?: CardFacts;
  /** How the questions of all files were split, as `splitProcedureOf` tells: said with the table, in test.json and the run record. */
  splitBy?: string;
  /** What the run record holds besides. */
  record?: NonNullable<StageResult["record"]>;
  close(): Promise<void>;
}
