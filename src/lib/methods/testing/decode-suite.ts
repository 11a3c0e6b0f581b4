/** Every method decodes on the engine as it does in plain float64: the same slots, the same logits. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { ArmCache } from '$lib/cache/arm-cache.ts';
import { random } from '$lib/numerics/random.ts';
import type { Preferred } from '$lib/ops/index.ts';
import type { MethodInstance } from '../define.ts';
import { readMethodSpec, startMethod } from '../start.ts';
import { goldenOnEngine } from './golden-engine.ts';
import { GOLDEN, GOLDEN_PROMPT, goldenIds, GoldenModel } from './golden-model.ts';
import type { GoldenEngine } from './kvpress-suite.ts';
import { expectBillIsPacked } from './untouched.ts';

const budget = { tokens: 50 };
const cases: [string, object][] = [
	['streaming-llm', { budget }],
	['streaming-llm', { budget, rerotate: true }],
	['knorm', { budget }],
	['h2o', { budget }],
	['h2o', { budget, sum: 'mean' }],
	['snapkv', { budget, window: 8 }],
	['tova', { budget }],
	['tova', { budget, keep_newest: false }],
	['scissorhands', { budget }],
	['vase', { budget }],
	['vase', { budget, score: 'energy' }],
	['scissorhands', { budget, importance: 'sum', decay: 0.9, sinks: 2, drop: 3 }],
	['adakv', { budget, scorer: { method: 'snapkv', params: { window: 8 } } }],
	['merging-press', { budget }],
	['key-rerotation', { budget }],
	['rtn', { bitsK: 4, bitsV: 3, axisK: 'channel', group: 16 }],
	['rtn', { bitsK: 5, bitsV: 2, symmetric: true, group: 8 }],
	['kivi', { bits: 4, group: 8, residual: 16 }],
	['svd-truncation', { rankK: 6, rankV: 8 }],
	['svd-truncation', { rankK: 10, rankV: 6, place: 'after', scope: 'layer', precision: 32 }],
	['quest', { budget, page: 8, exempt: 1 }],
	['quest', { budget, page: 8, exempt: 0, group: 'mean' }],
	['momentkv', { budget, window: 8 }],
	['momentkv', { budget, window: 8, readout: 'mean' }],
	['decoding-press', { budget, interval: 4, scorer: { method: 'snapkv', params: { window: 8 } }, buffer: 8 }],
	['decoding-press', { budget, interval: 3, scorer: { method: 'h2o' } }],
	['dms', { threshold: -9, window: 6 }],
	['moment-kv-momentum', { capacity: 6 }],
	['cam-press', { budget, interval: 3, scorer: { method: 'knorm' } }],
	['think', { ratio: 0.5 }],
	['vector', { budget, scorer: { method: 'knorm' } }],
	['meta-soft', { budget, probes: 8 }],
	['conf-kv', { budget, threshold: 0.5, window: 8, group: 4 }],
	['conf-kv', { budget, schedule: 'random', int8: false, beta: 0.5 }],
	['finch', { budget, window: 8 }]
];
const STEPS = 12;
/** Where a number lies between two codes, the last bit of a float32 chooses; a stored half may flip too. */
const ENCODES = ['rtn', 'kivi', 'svd-truncation', 'think', 'conf-kv'];

export function decodesAsFloat64(backend: Preferred): void {
	describe(`decoding on ${backend}`, () => {
		let engine: GoldenEngine;
		let rows: ArrayLike<number>[][];
		let arms: ArmCache[];
		let instances: MethodInstance[];
		const model = new GoldenModel();
		const tokens = Array.from({ length: STEPS }, (_, i) => goldenIds()[(7 * i + 3) % 200]);

		const start = ([method, params]: [string, object]) =>
			startMethod(readMethodSpec({ method, params }), { model: GOLDEN, random: random(0), promptTokens: GOLDEN_PROMPT });
		const prefilled = (instance: MethodInstance) => {
			const arm = engine.full.fork();
			arm.layers.forEach((layer, index) => instance.prefilled?.(layer, engine.views[index]));
			return arm;
		};

		beforeAll(async () => {
			engine = await goldenOnEngine(backend);
			instances = cases.map(start);
			arms = instances.map(prefilled);
			rows = await engine.force(arms, tokens, instances);
		});

		it.each(cases.map(([method, params], row) => [method, JSON.stringify(params), row] as const))('%s %s', (_method, _params, row) => {
			const instance = start(cases[row]);
			const arm = prefilled(instance);
			let worst = 0;
			let largest = 0;
			tokens.forEach((id, step) => {
				const logits = model.decode(arm, id, [instance], step);
				logits.forEach((logit, i) => {
					worst = Math.max(worst, Math.abs(logit - rows[row][step][i]));
					largest = Math.max(largest, Math.abs(logit));
				});
			});
			arm.layers.forEach((layer, index) => {
				for (let head = 0; head < GOLDEN.kvHeads; head++) {
					expect(arms[row].layers[index].positions(head)).toEqual(layer.positions(head));
					expect(arms[row].layers[index].hidden(head)).toEqual(layer.hidden(head));
				}
			});
			expect(worst).toBeLessThan((ENCODES.includes(cases[row][0]) ? 1e-2 : 1e-4) * largest);
			expectBillIsPacked(arms[row]);
			expect(arms[row].bill().total).toBe(arm.bill().total);
		});
	});
}
