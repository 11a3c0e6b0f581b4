/** What running needs of the page round it. */
import type { Experiment } from '$lib/documents/experiment.ts';
import type { Trace, TraceSource } from '$lib/documents/trace.ts';
import type { EngineChoice } from '$lib/lab/lab.ts';
import type { LabClient } from '$lib/worker/client.ts';
import type { LabError } from '$lib/worker/failures.ts';
import type { Message } from './message.ts';

export interface EngineHost {
	/** Makes a client; tests bring their own. */
	connect: () => Promise<LabClient>;
	/** Runs `load` with what the engine needs to find the model: its address, or its files. */
	withModel: (model: string, load: (choice: EngineChoice) => Promise<unknown>) => Promise<void>;
	/** Draws a trace that has grown. */
	show: (source: TraceSource) => void;
	/** The thread or the graphics device was lost. */
	lost: (error: LabError) => void;
}

export interface RunnerHost extends Pick<EngineHost, 'connect' | 'withModel' | 'show'> {
	experiment: () => Experiment;
	/** A model and everything that it is loaded with, as one name. */
	choice: (model: string) => string;
	trace: () => Trace | null;
	/** What is drawn belongs to another experiment than the one that is set. */
	stale: () => boolean;
	/** Steps are about to be taken. */
	begins: () => void;
	say: (text: string) => void;
	tell: (message: Message | null) => void;
	/** A run has paused or ended. */
	ended: (trace: Trace) => void;
	/** Something failed that the runner cannot mend. */
	explain: (error: unknown) => void;
	/** Ends when the page can be seen: a hidden one would lose the device again. */
	visible: () => Promise<void>;
}
