/**
 * The lab page's state: one experiment that is edited, one run that is drawn. `update()` is the
 * only door through which the experiment changes; it keeps the history and the address.
 */
import type { Experiment } from '$lib/documents/experiment.ts';
import type { TraceSource, Trace } from '$lib/documents/trace.ts';
import { firstLook, stepsDone } from '$lib/documents/read.ts';
import type { LoadProgress } from '$lib/lab/lab.ts';
import { Selection } from '$lib/ui/selection.svelte.ts';
import { engineInAddress } from '$lib/worker/choice.ts';
import type { LabClient } from '$lib/worker/client.ts';
import { compareFingerprint, fingerprint } from '$lib/share/fingerprint.ts';
import { decodeLink, encodeLink, isLink, LinkError } from '$lib/share/link.ts';
import { runKey, stable } from './experiments.ts';

export interface Message {
	kind: 'problem' | 'note';
	text: string;
	/** Next actions, by name of what the page can do. */
	actions: { text: string; run: () => void }[];
}

export type Activity = 'idle' | 'loading' | 'reading' | 'running' | 'stepping';

export interface LabStateOptions {
	/** Where the site lies, for the model's files. */
	site: () => string;
	/** Writes the address without navigating. */
	replaceHash: (hash: string) => void;
	/** Makes a client; tests bring their own. */
	connect?: () => Promise<LabClient>;
}

const HISTORY = 100;

export class LabState {
	readonly selection = new Selection();
	readonly #options: LabStateOptions;
	readonly #recording: TraceSource | null;
	readonly #first: Experiment;
	experiment = $state.raw<Experiment>() as Experiment;
	/** What the pictures draw: the recorded run until a live one replaces it. */
	source = $state.raw<TraceSource | null>(null);
	activity = $state<Activity>('idle');
	progress = $state.raw<LoadProgress | null>(null);
	message = $state.raw<Message | null>(null);
	/** What the last action did, for screen readers. */
	said = $state('');
	maximized: () => string | null = () => null;

	#past = $state.raw<Experiment[]>([]);
	#future = $state.raw<Experiment[]>([]);
	#coalesce = '';
	#client: LabClient | null = null;
	#unsubscribe: (() => void) | null = null;
	#loadedModel = $state<string | null>(null);
	#live = $state(false);
	#wanted = false;
	#generation = 0;
	#author: string | undefined;

	readonly canUndo = $derived(this.#past.length > 0);
	readonly canRedo = $derived(this.#future.length > 0);
	readonly live = $derived(this.#live);
	readonly modelLoaded = $derived(this.#loadedModel !== null);
	/** The pictures show another experiment than the one that is set. */
	readonly stale = $derived(this.source === null || runKey(this.source.trace.experiment) !== runKey(this.experiment));
	readonly running = $derived(this.activity === 'running');
	readonly busy = $derived(this.activity !== 'idle');
	readonly trace = $derived(this.source?.trace ?? null);
	readonly finished = $derived(this.#live && !this.stale && (this.trace?.done ?? false));

	constructor(recording: TraceSource | null, first: Experiment, options: LabStateOptions) {
		this.#options = options;
		this.#recording = recording;
		this.#first = recording ? plain(recording.trace.experiment) : first;
		this.experiment = this.#first;
		if (recording) this.#show(recording);
		this.#start();
	}

	/* ---- the experiment ---- */

	/**
	 * Every change of the experiment. Changes with the same `coalesce` name in a row (a slider that
	 * moves) are one step of the history.
	 */
	update(change: (now: Experiment) => Experiment, coalesce = ''): void {
		const next = change(this.experiment);
		if (stable(next) === stable(this.experiment)) return;
		if (!coalesce || coalesce !== this.#coalesce) this.#past = [...this.#past.slice(1 - HISTORY), this.experiment];
		this.#coalesce = coalesce;
		this.#future = [];
		this.#set(next);
	}

	/** The slider has come to rest: the next change is a step of its own. */
	settle(): void {
		this.#coalesce = '';
	}

	undo(): void {
		const before = this.#past.at(-1);
		if (!before) return;
		this.#past = this.#past.slice(0, -1);
		this.#future = [this.experiment, ...this.#future];
		this.#coalesce = '';
		this.#set(before);
		this.said = 'Undone.';
	}

	redo(): void {
		const [next, ...rest] = this.#future;
		if (!next) return;
		this.#past = [...this.#past, this.experiment];
		this.#future = rest;
		this.#coalesce = '';
		this.#set(next);
		this.said = 'Done again.';
	}

	/** The first experiment again, and its recorded run; undo brings the other back. */
	reset(): void {
		this.pause();
		this.message = null;
		this.update(() => this.#first);
		if (this.#recording && !this.#live) this.#show(this.#recording);
		this.#start();
	}

	#set(experiment: Experiment): void {
		this.experiment = experiment;
		this.#wanted = false;
		this.#author = undefined;
		this.#options.replaceHash(encodeLink(experiment));
	}

	/* ---- links ---- */

	/** Opens the experiment of an address, if it carries one. A broken link leaves the first experiment. */
	open(hash: string): void {
		if (!isLink(hash)) return;
		try {
			const { experiment, notices, fingerprint: author } = decodeLink(hash);
			const { view, ...rest } = experiment;
			this.experiment = rest as Experiment;
			this.#past = [];
			this.#future = [];
			this.#author = author;
			const selection = (view as { selection?: unknown } | undefined)?.selection;
			if (selection) this.selection.restore(selection);
			this.message = notices.length
				? { kind: 'note', text: `The link was opened, with something left out. ${notices.join('. ')}.`, actions: [] }
				: this.stale
					? { kind: 'note', text: 'The link was opened. The pictures still show the recorded run; run the experiment to see its own.', actions: [{ text: 'Run it here', run: () => this.run() }] }
					: null;
		} catch (error) {
			if (!(error instanceof LinkError)) throw error;
			this.message = { kind: 'problem', text: `${error.message} The first experiment is shown instead.`, actions: [] };
		}
	}

	/** The hash that brings everything back: experiment, selection, and the mark of the author's numbers. */
	link(): string {
		const selection = this.selection.toJSON();
		const maximized = this.maximized();
		const view = { ...(Object.keys(selection).length ? { selection } : {}), ...(maximized ? { maximized } : {}) };
		const experiment = Object.keys(view).length ? { ...this.experiment, view } : this.experiment;
		const mark = this.trace && !this.stale && this.trace.reference.steps.length ? fingerprint(this.trace.reference) : undefined;
		return encodeLink(experiment, mark);
	}

	/* ---- running ---- */

	/** Space: runs, pauses, and starts anew when the experiment was changed. */
	toggle(): void {
		if (this.busy) this.pause();
		else void this.run();
	}

	async run(): Promise<void> {
		if (this.busy) return;
		await this.#guard(async (mine) => {
			if (!(await this.#ready(mine))) return;
			this.#wanted = true;
			this.activity = 'running';
			this.selection.lock({ step: null });
			while (this.#wanted && mine()) {
				if (await this.#client!.advance(1)) break;
			}
			if (mine()) this.#ended();
		});
	}

	/** One step: forward in what is there, else a new one. */
	async step(): Promise<void> {
		if (this.busy || !this.trace) return;
		const newest = stepsDone(this.trace) - 1;
		if (!this.stale && this.selection.stepIndex < newest) {
			const next = this.selection.stepIndex + 1;
			this.selection.lock({ step: next === newest ? null : next });
			return;
		}
		if (!this.stale && this.trace.done) {
			this.said = this.#live ? 'The run is complete.' : 'The recorded run ends here.';
			return;
		}
		await this.#guard(async (mine) => {
			if (!(await this.#ready(mine))) return;
			this.activity = 'stepping';
			this.selection.lock({ step: null });
			await this.#client!.advance(1);
			if (mine()) this.#ended();
		});
	}

	back(): void {
		if (this.running) this.pause();
		this.selection.lock({ step: Math.max(-1, this.selection.stepIndex - 1) });
	}

	/** Lets the present step end, then stops. */
	pause(): void {
		this.#wanted = false;
		if (this.activity === 'loading' || this.activity === 'reading') this.cancel();
	}

	/** Gives up what is running now; what was drawn stays. */
	cancel(): void {
		this.#wanted = false;
		this.#generation++;
		this.#client?.abort();
		this.activity = 'idle';
		this.progress = null;
		this.said = 'Cancelled.';
	}

	dispose(): void {
		this.#generation++;
		this.#unsubscribe?.();
		this.#client?.dispose();
		this.#client = null;
	}

	/** Model and run as the experiment wants them. */
	async #ready(mine: () => boolean): Promise<boolean> {
		if (!this.#client) {
			this.activity = 'loading';
			const client = await (this.#options.connect ?? connect)();
			if (!mine()) {
				client.dispose();
				return false;
			}
			this.#client = client;
			this.#unsubscribe = client.subscribe((trace) => this.#show({ trace: snapshot(trace), probe: (request, signal) => client.probe(request, signal) }));
		}
		const experiment = this.experiment;
		if (this.#loadedModel !== experiment.model) {
			this.activity = 'loading';
			this.progress = null;
			this.#live = false;
			await this.#client.load(experiment.model, { site: this.#options.site(), ...engineInAddress() }, (progress) => (this.progress = progress));
			this.progress = null;
			if (!mine()) return false;
			this.#loadedModel = experiment.model;
		}
		if (!this.#live || this.stale || this.trace?.done) {
			this.activity = 'reading';
			// Proxies and undefined do not cross threads.
			await this.#client.start(plain(experiment));
			if (!mine()) return false;
			this.#live = true;
		}
		this.message = null;
		return true;
	}

	#ended(): void {
		const trace = this.trace;
		if (!trace) return;
		const steps = stepsDone(trace);
		this.said = trace.done ? `The run is complete after ${steps} steps.` : `Paused after ${steps} steps.`;
		if (trace.done && this.#author) {
			const likeness = compareFingerprint(trace.reference, this.#author);
			if (likeness) {
				this.message = likeness.same
					? { kind: 'note', text: 'Your numbers match those of the author of this link.', actions: [] }
					: { kind: 'note', text: `Your numbers differ from the author's from step ${likeness.step + 1} on: another engine or another version of the model.`, actions: [] };
			}
		}
	}

	/** Runs one action; failures become a sentence with a next action, and lose nothing. */
	async #guard(action: (mine: () => boolean) => Promise<void>): Promise<void> {
		const generation = ++this.#generation;
		const mine = () => generation === this.#generation;
		try {
			await action(mine);
		} catch (error) {
			if (mine() && !(error instanceof DOMException && error.name === 'AbortError')) this.#explain(error);
		} finally {
			if (mine()) {
				this.activity = 'idle';
				this.progress = null;
			}
		}
	}

	#explain(error: unknown): void {
		const kind = (error as { kind?: string }).kind ?? 'other';
		const text = (error instanceof Error && error.message ? error.message : 'Something went wrong that has no name').replace(/[^.!?]$/, '$&.');
		const again = { text: 'Try again', run: () => void this.run() };
		if (kind === 'crash' || kind === 'device' || kind === 'silent') {
			this.#client?.dispose();
			this.#client = null;
			this.#loadedModel = null;
			this.#live = false;
		}
		const actions = kind === 'document'
			? [...(this.canUndo ? [{ text: 'Undo the last change', run: () => { this.undo(); this.message = null; } }] : []), { text: 'Back to the first experiment', run: () => this.reset() }]
			: [again];
		this.message = { kind: 'problem', text: this.trace && this.trace.provenance === 'recorded' ? `${text} The recorded run stays on the page.` : text, actions };
	}

	#show(source: TraceSource): void {
		const { trace } = source;
		const fresh = this.source?.trace.prompt.ids.length !== trace.prompt.ids.length || this.source?.trace.arms.length !== trace.arms.length;
		this.source = source;
		const steps = stepsDone(trace);
		this.selection.fit({
			layers: trace.model.layers, heads: trace.model.heads, kvHeads: trace.model.kvHeads, steps,
			positions: trace.prompt.ids.length + Math.max(0, steps - 1), arms: trace.arms.length
		});
		if (fresh) this.#start();
	}

	/** A good first look: the answer's token, in a layer and head of the first arm that lost it. */
	#start(): void {
		const trace = this.source?.trace;
		if (!trace) return;
		this.selection.lock({ ...firstLook(trace), step: null });
	}
}

async function connect(): Promise<LabClient> {
	const { LabClient } = await import('$lib/worker/client.ts');
	return new LabClient();
}

/** The client's trace grows in place; the pictures want a new value for every step. */
function snapshot(trace: Trace): Trace {
	return {
		...trace,
		reference: { ...trace.reference, steps: trace.reference.steps.slice() },
		arms: trace.arms.map((arm) => ({ ...arm, steps: arm.steps.slice(), diffs: arm.diffs.slice(), verbs: arm.verbs.slice() }))
	};
}

function plain<T>(value: T): T {
	return JSON.parse(JSON.stringify(value)) as T;
}
