/** The lab on every family of models: the cache says what reading all at once says, and every method runs or is refused beforehand. */
import { describe, expect, it } from 'vitest';
import { methods } from '$lib/methods/registry.ts';
import { readMethodSpec } from '$lib/methods/start.ts';
import { prefillLogits, relativeError } from '$lib/model/conformance.ts';
import { experiment, inRuns, TEXT, TINY, tinyLab, tinySpec } from './testing.ts';

const FORCED = 'The red box is here. ';
const gpt2 = { architectures: ['GPT2LMHeadModel'], vocab_size: 320, n_embd: 64, n_head: 4, n_layer: 2, n_positions: 256, eos_token_id: 1 };
const llama3 = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 64 };
const families: [string, Record<string, unknown>][] = [
	['Llama with llama3 positions', { ...TINY, rope_scaling: llama3 }], ['Qwen2', { ...TINY, architectures: ['Qwen2ForCausalLM'] }],
	['Qwen3', { ...TINY, architectures: ['Qwen3ForCausalLM'] }], ['GPT-2', gpt2]
];
/** Methods with their presets, and those that turn keys or not as they are told the other way. */
const stacks = [...[...methods.keys()].map((id) => [tinySpec(id)]), [{ method: 'streaming-llm', params: { rerotate: true } }], [{ method: 'finch', params: { rerotate: false } }]];

describe.each(families)('%s', (name, config) => {
	it('decodes from a compressed cache by every method that it allows', async () => {
		const lab = await tinyLab('wasm', config);
		const turns = ([spec]: typeof stacks[number]) => methods.get(spec.method)!.rerotates?.(readMethodSpec(spec).params);
		const allowed = stacks.filter((stack) => name !== 'GPT-2' || !turns(stack));
		for (const some of inRuns(allowed)) {
			const run = await lab.start(experiment({ arms: [[], ...some].map((stack, i) => ({ label: `arm ${i}`, stack })), forced: FORCED, report: ['logits', 'steps'] }));
			await run.advance();
			const { reference, arms } = run.result();
			const ids = [...run.trace.prompt.ids, ...reference.tokens];
			const plain = await prefillLogits(lab.loaded.decoder, ids);
			const vocab = plain.length / ids.length;
			const prompt = run.trace.prompt.ids.length;
			reference.logits!.forEach((row, step) => {
				const at = (prompt - 1 + step) * vocab;
				expect(relativeError(row, plain.subarray(at, at + vocab))).toBeLessThan(1e-5);
			});
			expect(arms[0].logits).toEqual(reference.logits);
			for (const arm of arms) expect(arm.steps!.every(({ kl }) => Number.isFinite(kl))).toBe(true);
			expect(arms.slice(1).some((arm) => arm.steps!.some(({ kl }) => kl > 1e-6))).toBe(true);
			run.dispose();
		}
		lab.dispose();
	});
});

it('refuses to turn the keys of learned positions before anything is computed', async () => {
	const lab = await tinyLab('wasm', gpt2);
	for (const method of [{ method: 'key-rerotation' }, { method: 'streaming-llm', params: { rerotate: true } }]) {
		const start = lab.start(experiment({ prompt: { text: TEXT }, arms: [{ stack: [] }, { stack: [method] }] }));
		await expect(start).rejects.toThrow('arms[1].stack[0]: expected a method that leaves keys where they stand: random learned its positions');
	}
	lab.dispose();
});
