/**
 * What the cache moves in a step of decoding: node scripts/run-ts.mjs bench/cache-traffic.ts [--context 550,4096] [--arms 1,4] [--backend webgpu]
 * Rows: the full cache, the arms (KIVI's kind of codes, 4 bits), and a shadow of each, with the shape of nano. Keys, values and queries are
 * random; there is no model. Bytes and dispatches are counted, not timed, so they hold for any adapter.
 */
import * as tf from '@tensorflow/tfjs-core';
import { ArmCache, DeviceMemory, uniformCodec, type PassWants } from '../src/lib/cache/index.ts';
import type { EngineInfo, ModelShape } from '../src/lib/documents/trace.ts';
import { inverseFrequencies, rotation } from '../src/lib/numerics/rope.ts';
import { dispatchCount, openBackend, traffic } from '../src/lib/ops/index.ts';
import { normal, tensor } from '../src/lib/ops/testing.ts';

const NANO: ModelShape = {
	id: 'nano', name: 'nano', layers: 8, heads: 8, kvHeads: 4, headDim: 32, hidden: 256, vocab: 4096, context: 8192, ropeTheta: 10000, weights: 0
};
const [GROUP, STEPS] = [32, 8];

export async function main(args: string[]): Promise<void> {
	const option = (name: string, fallback: string) => (args.includes(name) ? args[args.indexOf(name) + 1] : fallback);
	const engine = await openBackend(option('--backend', 'webgpu') as EngineInfo['backend']);
	console.log(`${engine.backend}: ${engine.adapter}. A step, without the model's own work:`);
	for (const context of option('--context', '550,4096').split(',').map(Number)) {
		for (const arms of option('--arms', '1,4').split(',').map(Number)) {
			for (const record of [false, true]) await measure(context, arms, record);
		}
	}
}

async function measure(context: number, arms: number, record: boolean): Promise<void> {
	const numbers = (what: string) => (layer: number) => normal(`${what} ${layer}`, NANO.kvHeads, context, NANO.headDim).data;
	const prompt = ArmCache.fromPrompt({ shape: NANO, n: context, keys: numbers('k'), values: numbers('v'), rope: rotation(inverseFrequencies(NANO.headDim, NANO.ropeTheta)) });
	const coded = Array.from({ length: arms }, () => prompt.fork());
	coded.forEach(encode);
	const caches = [prompt, ...coded, ...coded.map(() => prompt.fork())];
	const memory = new DeviceMemory(caches, context + STEPS + 1);
	const wants: PassWants = record ? { attention: { firstRow: 1, rows: arms }, queries: { last: 1 } } : {};
	let before = { ...traffic(), dispatches: 0 };
	for (let step = 0; step < STEPS; step++) {
		// The first steps upload the pages.
		if (step === 2) before = { ...traffic(), dispatches: dispatchCount() };
		const pass = memory.begin(step === 0 ? 'transient' : 'append', wants);
		for (let layer = 0; layer < NANO.layers; layer++) {
			const of = (heads: number) => tensor(normal(`step ${step} ${layer}`, caches.length, heads, 1, NANO.headDim));
			const input = { layer, pass, query: of(NANO.heads), key: of(NANO.kvHeads), value: of(NANO.kvHeads) };
			const out = await memory.attend(input);
			tf.dispose([out, input.query, input.key, input.value]);
		}
		await memory.finish();
		if (step > 0) coded.forEach(encode);
	}
	const [now, steps] = [traffic(), STEPS - 2];
	const kb = (bytes: number) => `${(bytes / steps / 1024).toFixed(1)} KB`;
	console.log(`  ${context} slots, ${arms} ${arms === 1 ? 'arm' : 'arms'} (${caches.length} rows)${record ? ', recorded' : ''}: ${kb(now.read - before.read)} read back, `
		+ `${kb(now.written - before.written)} written, ${((dispatchCount() - before.dispatches) / steps).toFixed(0)} dispatches; pages on the device ${(memory.packedBytes / 2 ** 20).toFixed(2)} MB`);
	memory.dispose();
}

/** Whole blocks of keys per channel, and values per token but for the newest. */
function encode(arm: ArmCache): void {
	const [key, value] = [uniformCodec({ bits: 4, axis: 'channel', group: GROUP }), uniformCodec({ bits: 4, axis: 'token', group: GROUP })];
	for (const layer of arm.layers) {
		for (let head = 0; head < NANO.kvHeads; head++) {
			const exact = (which: 'K' | 'V') => Array.from(layer.exact(head, which).keys()).filter((slot) => layer.heads[head].isExact(slot, which));
			const keys = exact('K');
			for (let from = 0; from + GROUP <= keys.length; from += GROUP) layer.encode(head, 'K', keys.slice(from, from + GROUP), key);
			const values = exact('V').slice(0, -GROUP);
			if (values.length) layer.encode(head, 'V', values, value);
		}
	}
}
