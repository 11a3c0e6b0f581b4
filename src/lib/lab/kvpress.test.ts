/** The end-to-end part of the kvpress fixture as an experiment document would ask for it. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { goldenIds, GOLDEN_PROMPT } from '$lib/methods/testing/golden-model.ts';
import { loadModel } from '$lib/model/index.ts';
import { randomLlama } from '$lib/model/random-llama.ts';
import { openBackend } from '$lib/ops/index.ts';
import { Lab } from './lab.ts';
import { experiment } from './testing.ts';

const golden = JSON.parse(readFileSync(new URL('../../../conformance/kvpress-golden-v1.json', import.meta.url), 'utf8')) as { e2e: Record<string, { kl: number; logits: number[] }> };
const budget = { fraction: 0.5 };
const CASES = {
	'knorm@.5': { method: 'knorm', params: { budget } },
	'snapkv w8@.5': { method: 'snapkv', params: { budget, window: 8, kernel: 5 } },
	'streaming@.5': { method: 'streaming-llm', params: { budget, decode: false } },
	'rerot streaming@.5': { method: 'streaming-llm', params: { budget, decode: false, rerotate: true } },
	'merging knorm@.5': { method: 'merging-press', params: { budget, scorer: { method: 'knorm' } } }
};

it('forced decoding over compressed caches agrees with kvpress', async () => {
	const engine = await openBackend('wasm');
	const config = {
		architectures: ['LlamaForCausalLM'], model_type: 'llama', vocab_size: 512, hidden_size: 64, intermediate_size: 96, num_hidden_layers: 4,
		num_attention_heads: 4, num_key_value_heads: 2, head_dim: 16, max_position_embeddings: 512, rope_theta: 10000, rms_norm_eps: 1e-5,
		hidden_act: 'silu', tie_word_embeddings: false, bos_token_id: 0, eos_token_id: 1
	};
	const lab = new Lab(await loadModel(randomLlama(config, { prefix: 'golden', matrix: () => 0.25, norm: 0 }), engine), engine, 0, 'golden');
	const ids = goldenIds();
	const run = await lab.start(experiment({
		// The fixture looks at what follows each of the eight tokens; step i is what token i is taken from.
		prompt: { tokens: ids.slice(0, GOLDEN_PROMPT) }, forced: { tokens: [...ids.slice(GOLDEN_PROMPT), 0] },
		arms: Object.entries(CASES).map(([label, spec]) => ({ label, stack: [spec] })), report: ['steps', 'logits', 'kept']
	}));
	await run.advance();
	for (const { label, steps, logits, kept } of run.result().arms) {
		const wanted = golden.e2e[label];
		const kl = steps!.slice(1).reduce((sum, step) => sum + step.kl, 0) / 8;
		expect(Math.abs(kl / wanted.kl - 1), `${label}: KL ${kl}`).toBeLessThan(0.02);
		wanted.logits.forEach((logit, i) => expect(Math.abs(logits![8][i] - logit), `${label}: logit ${i}`).toBeLessThan(2e-3));
		expect(kept!.flat().every((head) => head.length === 101)).toBe(true);
	}
	run.dispose();
	lab.dispose();
});
