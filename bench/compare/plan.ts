/** What is measured: groups of contestants that are measured in turns, in one page. */
import type { Filling, Step } from '../page/contestant.ts';
import type { About } from './browser.ts';
import { shapeOf, type Config, type ShapeName } from './shapes.ts';

export interface WorkerPlan {
	id: string;
	label: string;
	kind: string;
	options?: Record<string, string | number | boolean>;
}

/** One row of a table: what one contestant does. */
export interface Line {
	worker: string;
	label: string;
	filling?: Filling;
	prefill?: number;
	step?: Omit<Step, 'id'>;
	/**
	 * 'same': its logits must be those of the reference, within 1e-3 (relative), or the command fails. 'told': it is only
	 * told how far they are. 'rounded': likewise, since its weights are rounded.
	 */
	check?: 'same' | 'told' | 'rounded';
}

export interface MeasurePlan {
	title: string;
	lines: Line[];
	rounds: number;
	/** Index of the line whose logits the others are compared with. */
	reference?: number;
}

export interface GroupPlan {
	/** What --only names. */
	name: string;
	title: string;
	/** Folder of the model, and how it is made. */
	model: string;
	config: Config;
	backend: 'webgpu' | 'wasm';
	threads: number;
	workers: WorkerPlan[];
	measures: MeasurePlan[];
}

export interface PlanOptions {
	quick: boolean;
	about: About;
	/** Threads on wasm; one where the page is not isolated. */
	threads: number;
	nanogptVersion: string;
}

const ORT: WorkerPlan = { id: 'ort', label: 'onnxruntime-web', kind: 'ort' };
const TRANSFORMERS: WorkerPlan = { id: 'transformers', label: 'transformers.js', kind: 'transformers' };
const OURS: WorkerPlan = { id: 'ours', label: 'Winnow', kind: 'ours' };
const REPLAY: WorkerPlan = { id: 'replay', label: 'dispatches of a step', kind: 'replay' };
const ROUNDED = ['f16', 'int8', 'int4'].map((format): WorkerPlan => ({ id: `ours-${format}`, label: `Winnow, ${format} weights`, kind: 'ours', options: { format } }));
const STOCK_NK: WorkerPlan = { id: 'stock-nk', label: 'stock tfjs, weights [N,K]', kind: 'stock', options: { layout: 'nk' } };
const STOCK_KN: WorkerPlan = { id: 'stock-kn', label: 'stock tfjs, weights [K,N]', kind: 'stock', options: { layout: 'kn' } };

export function planOf({ quick, about, threads, nanogptVersion }: PlanOptions): GroupPlan[] {
	const slow = about.software;
	const rounds = quick ? 2 : 5;
	const context = quick ? 64 : 256;
	const nanogpt: WorkerPlan = { id: 'nanogpt', label: '@genai-fi/nanogpt', kind: 'nanogpt', options: { blockSize: 2 * context, version: nanogptVersion } };
	const group: MakeGroup = (name, shape, backend, workers, measures, count = threads) => ({
		name: count === threads ? name : `${name}-${count}`, title: `${shape === 'nano' ? "nano's" : "SmolLM2-135M's"} shape, ${backend === 'wasm' ? `WASM, ${count} ${count === 1 ? 'thread' : 'threads'}` : 'WebGPU'}`,
		model: `${shape}${quick ? '-quick' : ''}`, config: shapeOf(shape, quick ? { layers: 2, vocab: 2048 } : {}), backend, threads: count, workers, measures
	});
	/**
	 * Decode and prefill of everybody in the group; the first is measured without storing too. On WebGPU stock TensorFlow.js is
	 * what logits are compared with: there onnxruntime-web's prefill of 32 tokens and more was found to give other logits than
	 * its own WASM build does, with which stock TensorFlow.js and Winnow agree.
	 */
	const both = (workers: WorkerPlan[], tokens: number): MeasurePlan[] => {
		const reference = workers.indexOf(workers.includes(STOCK_NK) ? STOCK_NK : ORT);
		const checkOf = (worker: WorkerPlan): Pick<Line, 'check'> => {
			if (worker === nanogpt) return {};
			if (worker.options?.format) return { check: 'rounded' };
			return { check: workers[reference] === STOCK_NK && (worker === ORT || worker === TRANSFORMERS) ? 'told' : 'same' };
		};
		const line = (worker: WorkerPlan, more: Partial<Line>): Line => ({ worker: worker.id, label: worker.label, ...checkOf(worker), ...more });
		const filling = { context, rows: 1 };
		return [
			{
				title: `decode, ${context} tokens in the cache`, rounds, reference,
				lines: [...workers.map((worker) => line(worker, { filling, step: {} })), { worker: 'ours', label: 'Winnow, nothing stored or read back', step: { transient: true } }]
			},
			{ title: `prefill of ${tokens} tokens`, rounds: Math.min(rounds, 3), reference, lines: workers.map((worker) => line(worker, { prefill: tokens })) }
		];
	};
	const gpu = [OURS, ...ROUNDED, ORT, TRANSFORMERS, STOCK_NK, STOCK_KN];
	const wasm = [OURS, ORT, TRANSFORMERS, STOCK_KN];
	const nanoGpu = [OURS, ...ROUNDED, ORT, STOCK_NK, STOCK_KN, nanogpt];
	const tokens = quick ? 16 : 256;
	const onWasm = (count: number) => [
		group('smol-wasm', 'smollm2-135m', 'wasm', wasm, both(wasm, tokens), count),
		group('nano-wasm', 'nano', 'wasm', wasm, both(wasm, tokens), count)
	];
	// What matters most comes first: a run may be short of time.
	const [onGpu, ...alone] = about.adapter ? [[
		group('smol-webgpu', 'smollm2-135m', 'webgpu', gpu, both(gpu, quick ? 8 : slow ? 32 : 256)),
		group('nano-webgpu', 'nano', 'webgpu', nanoGpu, both(nanoGpu, quick ? 16 : slow ? 64 : 256))
	], ...sweeps(group, about, quick, rounds)] : [[], ...sweeps(group, about, quick, rounds)];
	return [...onGpu, ...onWasm(threads), ...alone, ...(threads > 1 ? onWasm(1) : [])];
}

/** The same group with some of its contestants. */
export function among(group: GroupPlan, ids: string[]): GroupPlan {
	return {
		...group, workers: group.workers.filter(({ id }) => ids.includes(id)),
		measures: group.measures.map(({ reference, ...measure }) => {
			const lines = measure.lines.filter(({ worker }) => ids.includes(worker));
			const right = reference === undefined ? -1 : lines.indexOf(measure.lines[reference]);
			return { ...measure, lines, ...(right >= 0 ? { reference: right } : {}) };
		}).filter(({ lines }) => lines.length > 0)
	};
}

type MakeGroup = (name: string, shape: ShapeName, backend: 'webgpu' | 'wasm', workers: WorkerPlan[], measures: MeasurePlan[], threads?: number) => GroupPlan;

/** How our own cost grows. */
function sweeps(group: MakeGroup, about: About, quick: boolean, rounds: number): GroupPlan[] {
	const contexts = quick ? [64, 128] : [128, 512, 2048, 8192];
	const arms = quick ? [1, 2] : [1, 2, 4, 8];
	const [short, long] = quick ? [64, 128] : [256, 4096];
	// Caches lie side by side; those of one measure make room for those of the next.
	const measure = (title: string, fillings: [label: string, filling: Filling][]): MeasurePlan => ({
		title, rounds,
		lines: fillings.map(([label, filling], i) => ({ worker: 'ours', label, filling: { ...filling, slot: `${i}` }, step: { slot: `${i}` } }))
	});
	const byBits = [undefined, 8, 4, 2].map((bits): [string, Filling] => [bits ? `${bits} bits` : '32 bits', { context: long, rows: 1, ...(bits ? { bits } : {}) }]);
	const measures = [
		measure(`decode against arms, ${short} tokens each`, arms.map((rows) => [`${rows} ${rows === 1 ? 'arm' : 'arms'}`, { context: short, rows }])),
		measure(`decode against bits of the cache, ${long} tokens`, byBits),
		measure('decode against context length', contexts.map((context) => [`${context} tokens`, { context, rows: 1 }]))
	];
	const alone: WorkerPlan = { id: 'ours', label: 'attention alone', kind: 'attention' };
	const filling = { context: short, rows: 1 };
	const floor: MeasurePlan = {
		title: `decode beside its floor, ${short} tokens`, rounds,
		lines: [
			{ worker: 'ours', label: 'Winnow', filling, step: {} }, { worker: 'ours', label: 'nothing stored or read back', step: { transient: true } },
			{ worker: 'replay', label: 'its dispatches without its JavaScript', filling, step: {} },
			{ worker: 'replay', label: 'as many dispatches that do nothing', step: { slot: 'empty' } },
			{ worker: 'replay', label: 'all weights read once', step: { slot: 'weights' } }
		]
	};
	return [
		...(about.adapter ? [
			group('floor', 'smollm2-135m', 'webgpu', [OURS, REPLAY], [floor]),
			group('sweeps-webgpu', 'smollm2-135m', 'webgpu', [OURS], measures),
			group('attention', 'smollm2-135m', 'webgpu', [alone], [measure(`attention alone against bits of the cache, ${long} tokens`, byBits)])
		] : []),
		group('sweeps-wasm', 'smollm2-135m', 'wasm', [OURS], measures)
	];
}
