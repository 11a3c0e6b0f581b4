/** The fixture's model run by the engine itself: decoder, prompt memory and device memory. */
import { ArmCache } from '$lib/cache/arm-cache.ts';
import { DeviceMemory, PrefillMemory, type Attending } from '$lib/cache/device/index.ts';
import { loadModel } from '$lib/model/index.ts';
import { randomLlama } from '$lib/model/random-llama.ts';
import { inverseFrequencies, rotation } from '$lib/numerics/rope.ts';
import { openBackend, read, type Preferred } from '$lib/ops/index.ts';
import type { PromptView } from '../define.ts';
import { makeReadings } from '../make-readings.ts';
import { readingOf } from '../requests.ts';
import { GOLDEN, GOLDEN_EPS, GOLDEN_INNER, GOLDEN_PROMPT, goldenIds } from './golden-model.ts';
import type { GoldenEngine } from './kvpress-suite.ts';

const config = {
	architectures: ['LlamaForCausalLM'], model_type: 'llama', vocab_size: GOLDEN.vocab, hidden_size: GOLDEN.hidden,
	intermediate_size: GOLDEN_INNER, num_hidden_layers: GOLDEN.layers, num_attention_heads: GOLDEN.heads,
	num_key_value_heads: GOLDEN.kvHeads, head_dim: GOLDEN.headDim, max_position_embeddings: GOLDEN.context,
	rope_theta: GOLDEN.ropeTheta, rms_norm_eps: GOLDEN_EPS, hidden_act: 'silu', tie_word_embeddings: false,
	bos_token_id: 0, eos_token_id: 1
};

/** Opens the backend, reads the prompt and keeps what methods see. */
export async function goldenOnEngine(backend: Preferred): Promise<GoldenEngine> {
	const engine = await openBackend(backend);
	const { decoder } = await loadModel(randomLlama(config, { prefix: 'golden', matrix: () => 0.25, norm: 0 }), engine);
	const { shape } = decoder;
	const rope = rotation(inverseFrequencies(shape.headDim, shape.ropeTheta));
	const prompt = new PrefillMemory(shape, GOLDEN_PROMPT, { queries: 'all', attentionSums: true });
	const { logits } = await decoder.forward(Int32Array.from(goldenIds().slice(0, GOLDEN_PROMPT)), prompt.pass(), prompt);
	const captured = await prompt.finish(logits);
	const last = captured.nextLogits();
	logits.dispose();
	const weights = new Map<string, Float32Array>();
	for (const name of ['q_proj', 'k_proj', 'v_proj', 'o_proj'] as const) {
		for (let layer = 0; layer < shape.layers; layer++) weights.set(`${name} ${layer}`, await decoder.weight(name, layer));
	}
	const views = captured.layers.map((_, layer): PromptView => ({
		n: captured.n, model: shape, rope,
		keys: (head) => captured.keys(layer, head),
		keysBefore: (head) => captured.keysBefore(layer, head),
		values: (head) => captured.values(layer, head),
		queries: (head) => captured.queries(layer, head),
		attentionSums: (head) => captured.attentionSums(layer, head),
		queriesBefore: (head) => rope.rotate(captured.queries(layer, head), captured.angles.map((angle) => -angle), shape.headDim),
		nextLogits: () => last,
		reading: (reading) => readingOf(new Map(), reading)
	}));
	const full = ArmCache.fromPrompt({
		shape, n: captured.n, rope, keys: (layer) => captured.layers[layer].keys, values: (layer) => captured.layers[layer].values
	});
	return {
		full,
		views,
		logits: last,
		read: (wanted) => makeReadings(decoder, full, wanted),
		weight: (name, layer) => weights.get(`${name} ${layer}`)!,
		async force(arms, ids, methods = []) {
			const memory = new DeviceMemory(arms, GOLDEN_PROMPT + ids.length);
			const rows: Float32Array[][] = arms.map(() => []);
			for (const [step, id] of ids.entries()) {
				const position = arms[0].tokens;
				const before = { step, position, model: shape };
				const attending = new Map(methods.flatMap((method, row): [number, Attending][] =>
					method.attending ? [[row, (layer, query) => method.attending!(layer, { ...before, query })]] : []
				));
				const pass = memory.begin('append', { attention: true, queries: { last: 1 }, attending });
				const { logits } = await decoder.forward(new Int32Array(arms.length).fill(id), pass, memory);
				const all = await read(logits);
				logits.dispose();
				const seen = await memory.finish();
				rows.forEach((row, i) => row.push(Float32Array.from(all.slice(i * shape.vocab, (i + 1) * shape.vocab))));
				methods.forEach((method, row) => arms[row].layers.forEach((layer, index) => {
					const positions = Array.from({ length: shape.kvHeads }, (_, head) => layer.positions(head));
					const attention = Array.from({ length: shape.heads }, (_, h) => seen.attention(row, index, h));
					method.appended?.(layer, {
						...before, rope, positions: (head) => positions[head], query: (h) => seen.query(row, index, h), attention: (h) => attention[h],
						nextLogits: () => rows[row][step]
					});
				}));
			}
			memory.dispose();
			return rows;
		},
		tolerance: { sums: 1e-5, numbers: 5e-5 }
	};
}
