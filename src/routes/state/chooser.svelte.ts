/** Choosing a model: looking one up, what it would take, and taking it into the experiment. */
import { SvelteMap } from 'svelte/reactivity';
import type { Experiment } from '$lib/documents/experiment.ts';
import type { WeightFormat } from '$lib/ops/index.ts';
import { modelOfFiles } from '$lib/store/files.ts';
import { FORMATS } from '$lib/store/fits.ts';
import type { Plan } from '$lib/store/hub.ts';
import { HUB, modelName, readModelId } from '$lib/store/model-id.ts';
import type { Weighing, WeighRequest } from '$lib/worker/weigh.ts';
import type { KeptModels } from './kept.svelte.ts';
import { isAbort, sentenceOf } from './message.ts';
import { sizeOf, type RunSize } from './size.ts';

export interface ChooserHost {
	weigh: (request: WeighRequest) => Promise<Weighing>;
	experiment: () => Experiment;
	/** Tokens of the prompt, where a run has counted them. */
	promptTokens: () => number | null;
	/** Takes a model into the experiment. */
	choose: (id: string) => void;
	/** Small things that outlive a visit. */
	notes?: { read: (name: string) => string | null; write: (name: string, value: string) => void };
}

/** A model that is looked at before it is fetched or used. */
export interface Looked {
	id: string;
	name: string;
	/** Where its files come from, how many they are, and their bytes; null until it is known. */
	files: { origin: string; commit: string; count: number; bytes: number } | null;
	/** Bytes of it that are kept. */
	here: number;
	/** Can be used as it is: kept or dropped. */
	ready: boolean;
	/** What it takes here; `unknown` when only its file will say. */
	weighing: Weighing | 'unknown' | null;
	/** Rows and tokens that it was weighed for. */
	size: RunSize;
	problem: string | null;
}

export class Chooser {
	readonly kept: KeptModels;
	readonly #host: ChooserHost;
	readonly #formats = new SvelteMap<string, WeightFormat>();
	#turn = 0;
	#plan: Plan | null = null;
	open = $state(false);
	looked = $state.raw<Looked | null>(null);
	hub = $state(HUB);

	constructor(kept: KeptModels, host: ChooserHost) {
		this.kept = kept;
		this.#host = host;
		this.hub = host.notes?.read('hub') || HUB;
	}

	/** Opens the dialog, at one model if it is named. */
	async show(id: string | null = null): Promise<void> {
		this.open = true;
		this.kept.problem = '';
		if (id === null) this.back();
		await Promise.all([this.kept.refresh(), id === null ? null : this.look(id)]);
	}

	back(): void {
		this.#turn++;
		this.looked = null;
	}

	/** Another address of the hub; empty means the usual one. */
	setHub(address: string): void {
		this.hub = address.trim().replace(/\/+$/, '') || HUB;
		this.#host.notes?.write('hub', this.hub === HUB ? '' : this.hub);
	}

	/** What a model's weights are held as. */
	format(id: string): WeightFormat {
		return this.#formats.get(id) ?? 'f32';
	}

	setFormat(id: string, format: WeightFormat): void {
		this.#formats.set(id, format);
	}

	/** The next smaller form of the weights than the one in use; null when there is none. */
	smaller(id: string): WeightFormat | null {
		return FORMATS[FORMATS.indexOf(this.format(id)) + 1] ?? null;
	}

	/** Looks a model up: its files, whether they are here, what it takes. Fetches no weights. */
	async look(id: string): Promise<void> {
		const turn = ++this.#turn;
		const mine = () => turn === this.#turn;
		const size = sizeOf(this.#host.experiment(), this.#host.promptTokens());
		this.kept.problem = '';
		this.#plan = null;
		this.looked = { id, name: modelName(id), files: null, here: 0, ready: false, weighing: null, size, problem: null };
		const update = (change: Partial<Looked>) => {
			if (mine() && this.looked) this.looked = { ...this.looked, ...change };
		};
		try {
			const files = await this.kept.files(id);
			const plan = !files && readModelId(id).kind === 'hub' ? await (await this.kept.store()).plan(id, this.hub) : null;
			if (!mine()) return;
			this.#plan = plan;
			const bytes = Object.values(files ?? {}).reduce((sum, blob) => sum + blob.size, 0);
			const kept = this.kept.models.find((model) => model.id === id);
			if (plan) update({ files: { origin: plan.origin, commit: plan.commit, count: plan.files.length, bytes: plan.bytes }, here: kept?.here ?? 0 });
			else update({ files: { origin: kept?.origin ?? '', commit: '', count: Object.keys(files ?? {}).length, bytes }, here: bytes, ready: files !== null });
			const weighing = plan && plan.config === null ? 'unknown' : await this.#host.weigh({ ...(plan ? { config: plan.config } : { files: files ?? {} }), ...size });
			update({ weighing });
			if (mine() && weighing !== 'unknown' && !this.#formats.has(id)) this.#formats.set(id, firstThatFits(weighing));
		} catch (error) {
			if (!isAbort(error)) update({ problem: sentenceOf(error) });
		}
	}

	/** Looks at dropped files. */
	async drop(files: readonly File[]): Promise<void> {
		this.open = true;
		this.kept.problem = '';
		try {
			const model = modelOfFiles(files);
			const id = `file:${model.name}`;
			this.kept.take(id, Object.fromEntries(model.files));
			await Promise.all([this.kept.refresh(), this.look(id)]);
		} catch (error) {
			this.back();
			this.kept.problem = sentenceOf(error);
		}
	}

	/** Takes the model into the experiment and closes the dialog. */
	use(id: string): void {
		this.open = false;
		this.back();
		this.#host.choose(id);
	}

	/** Fetches the model that is looked at, or copies its dropped files. */
	async fetch(): Promise<void> {
		const { looked } = this;
		const from = looked && (this.kept.dropped(looked.id) ?? this.#plan);
		if (!looked?.files || !from) return;
		await this.kept.fetch(looked.id, from, looked.here === looked.files.bytes ? 0 : looked.here, looked.files.bytes);
		if (this.looked?.id === looked.id && !this.kept.problem) await this.look(looked.id);
	}
}

/** The most exact form that fits with room to spare, else that fits at all, else the most exact. */
function firstThatFits({ choices }: Weighing): WeightFormat {
	const fits = choices.filter(({ verdict }) => verdict.fits);
	return (fits.find(({ verdict }) => verdict.fits && !verdict.tight) ?? fits[0] ?? choices[0]).format;
}
