/**
 * The run behind a lesson. On commit the model runs here; when it cannot, or when the reader does
 * not want to wait, the recorded run takes its place. Nothing is fetched or computed before.
 */
import { readRecording, recordedSource } from '$lib/documents/recording.ts';
import type { Trace, TraceSource } from '$lib/documents/trace.ts';
import { words } from '$lib/ui/words/index.ts';
import { engineInAddress } from '$lib/worker/choice.ts';
import type { LabClient } from '$lib/worker/client.ts';
import type { Lesson } from './lesson.ts';

const say = words.lessons.run;

export type RunStatus = 'idle' | 'working' | 'done' | 'failed';

export interface RunOptions {
	/** Where the site lies, for the model's files. */
	site: () => string;
	/** Reads a file of the site as text; throws when there is none. */
	read: (path: string) => Promise<string>;
	/** Makes a client; tests bring their own. */
	connect?: () => Promise<LabClient>;
}

export class LessonRun {
	readonly #lesson: Lesson;
	readonly #options: RunOptions;
	#client: LabClient | null = null;
	#generation = 0;
	status = $state<RunStatus>('idle');
	/** What is being done, in words. */
	doing = $state('');
	/** Why the recorded run is shown instead of a live one; or why there is nothing. */
	notice = $state('');
	source = $state.raw<TraceSource | null>(null);

	constructor(lesson: Lesson, options: RunOptions) {
		this.#lesson = lesson;
		this.#options = options;
	}

	/** Runs the model here; falls back to the recording with a sentence that says why. */
	async live(): Promise<void> {
		if (this.status === 'working' || this.status === 'done') return;
		const mine = this.#begin(say.loading);
		try {
			const client = await (this.#options.connect ?? connect)();
			if (!mine()) return client.dispose();
			this.#client = client;
			const { experiment } = this.#lesson;
			await client.load(experiment.model, { site: this.#options.site(), ...engineInAddress() }, (progress) => {
				if (mine()) this.doing = describe(progress);
			});
			if (!mine()) return;
			this.doing = say.reading;
			await client.start(JSON.parse(JSON.stringify(experiment)));
			for (let step = 1; mine(); step++) {
				this.doing = say.writing(step);
				if (await client.advance(1)) break;
			}
			if (!mine()) return;
			this.source = { trace: settled(client.trace), probe: (request, signal) => client.probe(request, signal) };
			this.status = 'done';
		} catch (error) {
			if (!mine() || (error instanceof DOMException && error.name === 'AbortError')) return;
			const why = error instanceof Error ? error.message : String(error);
			await this.recorded(say.couldNot(why));
		}
	}

	/** Shows the recorded run, now. */
	async recorded(notice = ''): Promise<void> {
		this.#client?.dispose();
		this.#client = null;
		const mine = this.#begin(say.fetching);
		try {
			const recording = readRecording(await this.#options.read(this.#lesson.recording));
			if (!mine()) return;
			this.notice = notice;
			this.source = recordedSource(recording);
			this.status = 'done';
		} catch (error) {
			if (!mine()) return;
			this.notice = [notice, say.noRecording(error instanceof Error ? error.message : String(error))].filter(Boolean).join(' ');
			this.status = 'failed';
		}
	}

	dispose(): void {
		this.#generation++;
		this.#client?.dispose();
		this.#client = null;
	}

	#begin(doing: string): () => boolean {
		const generation = ++this.#generation;
		this.status = 'working';
		this.doing = doing;
		this.notice = '';
		return () => generation === this.#generation;
	}
}

function describe(progress: unknown): string {
	const { loaded, total } = progress as { loaded?: number; total?: number };
	return loaded === undefined ? say.loading : say.loaded(loaded, total);
}

/** The client's trace grows in place; what is drawn must not change underneath. */
function settled(trace: Trace): Trace {
	return { ...trace, arms: trace.arms.map((arm) => ({ ...arm })) };
}

async function connect(): Promise<LabClient> {
	const { LabClient } = await import('$lib/worker/client.ts');
	return new LabClient();
}
