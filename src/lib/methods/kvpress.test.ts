import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { GOLDEN, GOLDEN_PROMPT, goldenArm, goldenIds, GoldenModel } from './testing/golden-model.ts';
import { goldenOnEngine } from './testing/golden-engine.ts';
import { againstKvpress } from './testing/kvpress-suite.ts';
import { promptView } from './testing/views.ts';

const golden = JSON.parse(readFileSync('conformance/kvpress-golden-v1.json', 'utf8'));

describe('the seeded generator', () => {
	it('draws the prescribed weights and tokens', () => {
		const model = new GoldenModel();
		for (const [name, head] of Object.entries(golden.weights_head as Record<string, number[]>)) {
			head.forEach((value, i) => expect(Math.abs(model.weight(name)[i] - value)).toBeLessThan(1e-6 * Math.abs(value) + 1e-7));
		}
		expect(goldenIds()).toEqual(golden.input_ids);
	});
});

againstKvpress('plain float64', async () => {
	const model = new GoldenModel();
	const prompt = model.prefill(goldenIds().slice(0, GOLDEN_PROMPT));
	const full = goldenArm(prompt);
	const size = GOLDEN_PROMPT * GOLDEN.headDim;
	return {
		full,
		logits: prompt.logits,
		views: full.layers.map((_, layer) => promptView(full, layer, (h) => prompt.queries[layer].subarray(h * size, (h + 1) * size))),
		force: async (arms, ids, methods = []) => arms.map((arm, row) => ids.map((id, step) => model.decode(arm, id, methods.slice(row, row + 1), step))),
		read: async (wanted) => model.read(full, wanted),
		weight: (name, layer) => model.weight(`model.layers.${layer}.self_attn.${name}.weight`),
		tolerance: { sums: 1e-6, numbers: 1e-5 }
	};
});

againstKvpress('cpu', () => goldenOnEngine('cpu'));
againstKvpress('wasm', () => goldenOnEngine('wasm'));
