/** What the page and the lab's thread say to each other. Plain data and typed arrays only. */
import type { Experiment } from '$lib/documents/experiment.ts';
import type { EngineInfo, ModelShape, Probe, ProbeRequest, Trace } from '$lib/documents/trace.ts';
import type { EngineChoice, LoadProgress } from '$lib/lab/lab.ts';
import type { Result } from '$lib/lab/result.ts';
import type { CellAgain, MeasuredAgain } from '$lib/lab/sweep/again.ts';
import type { StepUpdate } from '$lib/lab/update.ts';
import type { Weighing, WeighRequest } from './weigh.ts';

export interface Loaded {
	model: ModelShape;
	engine: EngineInfo;
	/** Milliseconds. */
	load: number;
}

/** Served by the lab's thread. Calls are answered in order; only `abort` and `weigh` overtake. */
export interface LabService {
	load(modelId: string, engine: EngineChoice, onProgress: (progress: LoadProgress) => unknown): Promise<Loaded>;
	/** Reads and compresses the prompt; ends the run before it. */
	start(experiment: Experiment): Promise<Trace>;
	/** Takes up to `steps` steps; `done` when no further step will come. */
	advance(steps: number, onStep: (update: StepUpdate) => unknown): Promise<boolean>;
	probe(request: ProbeRequest): Promise<Probe | null>;
	result(): Promise<Result>;
	/** A cell of a sweep on one text. Leaves the run as it is. */
	measure(cell: CellAgain): Promise<MeasuredAgain>;
	/** What a model would take of this machine. Loads nothing. */
	weigh(request: WeighRequest): Promise<Weighing>;
	/** Gives up what is running and what is waiting; those calls end with an AbortError. */
	abort(): void;
	/** Ends the run and frees the model. */
	dispose(): Promise<void>;
	/** Calls back once if the graphics device goes away. */
	onDeviceLost(report: (reason: string) => void): void;
}
