/**
 * The lab page's state: one experiment that is edited, one run that is drawn. `update()` is the
 * only door through which the experiment changes; it keeps the history and the address.
 */
import type { Experiment } from '$lib/documents/experiment.ts';
import type { Trace, TraceSource } from '$lib/documents/trace.ts';
import { encodeLink } from '$lib/share/link.ts';
import { readModelId } from '$lib/store/model-id.ts';
import { words } from '$lib/ui/words/index.ts';
import { engineInAddress } from '$lib/worker/choice.ts';
import type { LabClient } from '$lib/worker/client.ts';
import type { StoreClient } from '$lib/worker/store-client.ts';
import { runKey, stable } from './experiments.ts';
import { Chooser, type ChooserHost } from './state/chooser.svelte.ts';
import { plain, type Activity } from './state/engine.svelte.ts';
import { absent, explain, type Remedies } from './state/explain.ts';
import { History } from './state/history.svelte.ts';
import { KeptModels } from './state/kept.svelte.ts';
import { hashOf, likeness, openHash } from './state/links.ts';
import { note, problem, type Message } from './state/message.ts';
import { Pictures } from './state/pictures.svelte.ts';
import { Runner } from './state/runner.svelte.ts';

export interface LabStateOptions {
	/** Where the site lies, for the model's files. */
	site: () => string;
	/** Writes the address without navigating. */
	replaceHash: (hash: string) => void;
	/** Makes the clients of the two threads; tests bring their own. */
	connect?: () => Promise<LabClient>;
	connectStore?: () => Promise<StoreClient>;
	/** Ends when the page can be seen. */
	visible?: () => Promise<void>;
	notes?: ChooserHost['notes'];
}

export class LabState {
	readonly #pictures = new Pictures();
	readonly selection = this.#pictures.selection;
	readonly chooser: Chooser;
	readonly #options: LabStateOptions;
	readonly #recording: TraceSource | null;
	readonly #first: Experiment;
	readonly #history: History<Experiment>;
	readonly #runner: Runner;
	message = $state.raw<Message | null>(null);
	/** What the last action did, for screen readers. */
	said = $state('');
	maximized: () => string | null = () => null;
	#author: string | undefined;

	constructor(recording: TraceSource | null, first: Experiment, options: LabStateOptions) {
		this.#options = options;
		this.#recording = recording;
		this.#first = recording ? plain(recording.trace.experiment) : first;
		this.#history = new History(this.#first);
		this.#runner = this.#makeRunner();
		this.chooser = new Chooser(new KeptModels(options.connectStore ?? connectStore), {
			weigh: async (request) => (await this.#runner.engine.client())!.weigh({ ...request, ...engineInAddress() }),
			experiment: () => this.experiment,
			promptTokens: () => (this.trace && stable(this.trace.experiment.prompt) === stable(this.experiment.prompt) ? this.trace.prompt.ids.length : null),
			choose: (model) => {
				this.message = null;
				this.update((now) => ({ ...now, model }));
			},
			...(options.notes ? { notes: options.notes } : {})
		});
		if (recording) this.#pictures.show(recording);
	}

	get experiment(): Experiment { return this.#history.value; }
	get canUndo(): boolean { return this.#history.canUndo; }
	get canRedo(): boolean { return this.#history.canRedo; }
	get activity(): Activity { return this.#runner.engine.activity; }
	get progress() { return this.#runner.engine.progress; }
	get live(): boolean { return this.#runner.engine.live; }
	get running(): boolean { return this.activity === 'running'; }
	get busy(): boolean { return this.activity !== 'idle'; }
	get source(): TraceSource | null { return this.#pictures.source; }
	get trace(): Trace | null { return this.#pictures.trace; }
	/** The pictures show another experiment than the one that is set. */
	readonly stale: boolean = $derived(this.trace === null || runKey(this.trace.experiment) !== runKey(this.experiment));
	get finished(): boolean { return this.live && !this.stale && (this.trace?.done ?? false); }

	/**
	 * Every change of the experiment. Changes with the same `coalesce` name in a row (a slider that
	 * moves) are one step of the history.
	 */
	update(change: (now: Experiment) => Experiment, coalesce = ''): void {
		const next = change(this.experiment);
		if (stable(next) === stable(this.experiment)) return;
		this.#history.push(next, coalesce);
		this.#changed();
	}

	settle(): void {
		this.#history.settle();
	}

	undo(): void {
		if (!this.#history.undo()) return;
		this.#changed();
		this.said = words.running.undone;
	}

	redo(): void {
		if (!this.#history.redo()) return;
		this.#changed();
		this.said = words.running.redone;
	}

	/** The first experiment again, and its recorded run; undo brings the other back. */
	reset(): void {
		this.pause();
		this.message = null;
		this.update(() => this.#first);
		if (this.#recording && !this.live) this.#pictures.show(this.#recording);
		this.#pictures.look();
	}

	/** Opens the experiment of an address, if it carries one. A broken link leaves the first experiment. Fetches no model. */
	open(hash: string): void {
		const opened = openHash(hash);
		if (!opened) return;
		if ('broken' in opened) {
			this.message = problem(opened.broken);
			return;
		}
		this.#history.begin(opened.experiment);
		this.#author = opened.author;
		if (opened.selection) this.selection.restore(opened.selection);
		const run = { text: words.opened.runHere, run: () => void this.run() };
		this.message = opened.notices.length ? note(words.opened.leftOut(opened.notices)) : this.stale ? note(words.opened.stale, run) : null;
		void this.#askForModel();
	}

	link(): string {
		return hashOf(this.experiment, this.selection, this.maximized(), this.stale ? null : this.trace);
	}

	/** Space: runs, pauses, and starts anew when the experiment was changed. */
	toggle(): void {
		if (this.busy) this.pause();
		else void this.run();
	}

	async run(): Promise<void> {
		if (!this.busy) await this.#runner.run();
	}

	/** Runs what was just changed, if a model runs here already; a recorded run waits for the reader. */
	react(): void {
		if (!this.live || !this.stale) return;
		if (this.busy) this.cancel();
		void this.run();
	}

	/** One step: forward in what is there, else a new one. */
	async step(): Promise<void> {
		if (this.busy || !this.trace) return;
		if (!this.stale && this.#pictures.forward()) return;
		if (!this.stale && this.trace.done) this.said = this.live ? words.running.runComplete : words.running.recordedEnds;
		else await this.#runner.step();
	}

	back(): void {
		if (this.running) this.pause();
		this.#pictures.back();
	}

	pause(): void {
		this.#runner.pause();
	}

	cancel(): void {
		this.#runner.cancel();
	}

	dispose(): void {
		this.#runner.dispose();
	}

	#changed(): void {
		this.#runner.changed();
		this.#author = undefined;
		this.#options.replaceHash(encodeLink(this.experiment));
	}

	#makeRunner(): Runner {
		const { connect = connectLab, site, visible = async () => {} } = this.#options;
		return new Runner({
			connect, visible,
			experiment: () => this.experiment, trace: () => this.trace, stale: () => this.stale,
			choice: (model) => `${model} ${this.chooser.format(model)}`,
			withModel: (model, load) => this.chooser.kept.reading(model, (files) =>
				load({ site: site(), ...engineInAddress(), ...(files ? { files } : {}), weights: this.chooser.format(model) })),
			show: (source) => this.#pictures.show(source),
			begins: () => this.selection.lock({ step: null }),
			say: (text) => (this.said = text),
			tell: (message) => (this.message = message),
			ended: (trace) => {
				const found = trace.done ? likeness(trace, this.#author) : null;
				if (found) this.message = found;
			},
			explain: (error) => (this.message = explain(error, this.#remedies()))
		});
	}

	#remedies(): Remedies {
		const { model } = this.experiment;
		const again = () => void this.run();
		const after = (change: () => void) => () => {
			change();
			this.message = null;
		};
		return {
			experiment: this.experiment, recorded: this.trace?.provenance === 'recorded', canUndo: this.canUndo, hub: this.chooser.hub, again,
			// Only graphics devices hold weights in fewer bits.
			smaller: this.trace?.engine.backend === 'webgpu' && model !== 'nano' ? this.chooser.smaller(model) : null,
			undo: after(() => this.undo()), reset: () => this.reset(),
			choose: (id) => void this.chooser.show(id ?? null),
			nano: after(() => this.update((now) => ({ ...now, model: 'nano' }))),
			removeArm: after(() => this.update((now) => ({ ...now, arms: now.arms.slice(0, -1) }))),
			takeSmaller: after(() => (this.chooser.setFormat(model, this.chooser.smaller(model) ?? 'int4'), again()))
		};
	}

	/** A link's model may not be here: then the reader is asked. */
	async #askForModel(): Promise<void> {
		const { model } = this.experiment;
		try {
			if (readModelId(model).kind === 'site' || (await this.chooser.kept.files(model))) return;
		} catch {
			// What is wrong with the id is said when it is to run.
			return;
		}
		if (this.experiment.model === model && !this.busy) this.message = absent(model, this.#remedies());
	}
}

async function connectLab(): Promise<LabClient> {
	const { LabClient } = await import('$lib/worker/client.ts');
	return new LabClient();
}

async function connectStore(): Promise<StoreClient> {
	const { StoreClient } = await import('$lib/worker/store-client.ts');
	return new StoreClient();
}
