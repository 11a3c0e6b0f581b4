/**
 * Who still knows the code? One needle a seed in a prompt of about 550 tokens; every arm may keep
 * 23 % of the cache. Prints how many answers were right:
 * node scripts/run-ts.mjs bench/needle.ts [--seeds 50] [--length 550] [--fraction 0.23]
 *   [--methods snapkv,streaming-llm,snapkv:window=16:kernel=7] [--model nano|path:DIR] [--backend wasm] [--first 1000]
 */
import { fileURLToPath } from 'node:url';
import { parseExperiment } from '../src/lib/documents/schema.ts';
import type { EngineInfo } from '../src/lib/documents/trace.ts';
import { Lab } from '../src/lib/lab/lab.ts';
import { installWebGpu } from '../src/lib/ops/node-webgpu.ts';

export interface NeedleCounts {
	seeds: number;
	full: number;
	/** By method. */
	right: Record<string, number>;
	/** Mean KL(full || arm) over all steps, nats, by method. */
	kl: Record<string, number>;
}

export interface NeedleOptions {
	seeds?: number;
	/** First seed: fresh ones are those that nobody looked at while tuning. */
	first?: number;
	length?: number;
	fraction?: number;
	/** Ids, with parameters after colons: `snapkv:window=16`. */
	methods?: string[];
	onSeed?: (seed: number, counts: NeedleCounts) => void;
}

/** Runs all seeds, one after another. */
export async function countNeedles(lab: Lab, options: NeedleOptions = {}): Promise<NeedleCounts> {
	const { seeds = 50, first = 1000, length = 550, fraction = 0.23, methods = ['snapkv', 'streaming-llm'] } = options;
	const zero = () => Object.fromEntries(methods.map((method) => [method, 0]));
	const counts: NeedleCounts = { seeds: 0, full: 0, right: zero(), kl: zero() };
	for (let seed = first; seed < first + seeds; seed++) {
		const { experiment } = parseExperiment({
			version: 1, model: lab.model.id, prompt: { task: 'needle', seed, length }, generate: { tokens: 8 },
			arms: methods.map((words) => ({ label: words, stack: [readMethod(words, fraction)] }))
		}, { unknown: 'error' });
		const run = await lab.start(experiment);
		await run.advance();
		const { reference, arms } = run.trace;
		run.dispose();
		counts.seeds++;
		counts.full += Number(reference.task?.correct);
		for (const arm of arms) {
			counts.right[arm.label] += Number(arm.task?.correct);
			counts.kl[arm.label] += arm.steps.reduce((sum, step) => sum + step.kl, 0) / arm.steps.length / seeds;
		}
		options.onSeed?.(seed, counts);
	}
	return counts;
}

function readMethod(words: string, fraction: number) {
	const [method, ...given] = words.split(':');
	const params = given.map((pair) => pair.split('=')).map(([name, value]) => [name, Number.isNaN(Number(value)) ? value : Number(value)]);
	return { method, params: { budget: { fraction }, ...Object.fromEntries(params) } };
}

export async function main(args: string[]): Promise<void> {
	const option = (name: string, fallback: string) => (args.includes(name) ? args[args.indexOf(name) + 1] : fallback);
	const backend = option('--backend', 'wasm') as EngineInfo['backend'];
	if (backend === 'webgpu') await installWebGpu();
	const lab = await Lab.load(option('--model', 'nano'), { backend, site: fileURLToPath(new URL('../static', import.meta.url)) });
	const fraction = Number(option('--fraction', '0.23'));
	const length = Number(option('--length', '550'));
	const { seeds, full, right, kl } = await countNeedles(lab, {
		seeds: Number(option('--seeds', '50')), first: Number(option('--first', '1000')), length, fraction,
		methods: option('--methods', 'snapkv,streaming-llm').split(','),
		onSeed: (seed) => process.stderr.write(`\rseed ${seed}`)
	});
	process.stderr.write('\n');
	console.log(`needle at ${length} tokens, ${fraction * 100} % of the cache, ${seeds} seeds, ${lab.model.id} on ${lab.engine.backend}`);
	console.log(`${'full cache'.padEnd(30)} ${full} of ${seeds}`);
	for (const [method, count] of Object.entries(right)) console.log(`${method.padEnd(30)} ${count} of ${seeds}   mean KL ${kl[method].toFixed(4)} nats`);
	lab.dispose();
}
