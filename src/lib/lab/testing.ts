/** A tiny model with random weights, for tests of everything that runs one. */
import { randomSupplies } from '$lib/methods/testing/supplies.ts';
import { loadModel, modelFingerprint } from '$lib/model/index.ts';
import { HF_RANDOM, randomLlama } from '$lib/model/random-llama.ts';
import { openBackend, type Preferred } from '$lib/ops/index.ts';
import type { Experiment, MethodSpec } from '$lib/documents/experiment.ts';
import { parseExperiment } from '$lib/documents/schema.ts';
import { packShipped } from './calibrate/shipped.ts';
import { Lab } from './lab.ts';
import type { Result } from './result.ts';

export const TINY = {
	architectures: ['LlamaForCausalLM'], model_type: 'llama', vocab_size: 320, hidden_size: 48, intermediate_size: 64, num_hidden_layers: 2,
	num_attention_heads: 4, num_key_value_heads: 2, head_dim: 16, max_position_embeddings: 256, rope_theta: 10000, rms_norm_eps: 1e-5,
	hidden_act: 'silu', tie_word_embeddings: false, bos_token_id: 0, eos_token_id: 1
};

export async function tinyLab(backend: Preferred = 'wasm', config: Record<string, unknown> = TINY): Promise<Lab> {
	const engine = await openBackend(backend);
	const loaded = await loadModel(randomLlama(config, HF_RANDOM), engine);
	/** Made-up statistics in place of shipped ones. */
	const json = async (file: string) => {
		const [, name] = /^calibration\/(.*)\.json$/.exec(file)!;
		return packShipped(name, modelFingerprint(loaded.decoder), 'made up', randomSupplies(loaded.shape).shipped(name));
	};
	return new Lab(loaded, engine, 0, 'tiny', json);
}

/** A document with what tests leave out. */
export function experiment(parts: Record<string, unknown>): Experiment {
	return parseExperiment({ version: 1, model: 'tiny', prompt: { text: TEXT }, arms: [], ...parts }, { unknown: 'error' }).experiment;
}

/** The same run on WebGPU and on wasm. */
export async function onBoth(parts: Record<string, unknown>): Promise<{ gpu: Result; wasm: Result }> {
	const on = async (backend: Preferred) => {
		const lab = await tinyLab(backend);
		const run = await lab.start(experiment(parts));
		await run.advance();
		const result = run.result();
		run.dispose();
		lab.dispose();
		return result;
	};
	// One after the other: a process has one backend at a time.
	const gpu = await on('webgpu');
	return { gpu, wasm: await on('wasm') };
}

/** 96 characters: with a tokenizer of bytes as many tokens, and one more where there is a first one. */
export const TEXT = 'The red box has the code 4417. Anna walked to the river and found a small boat under the trees. ';

/** Parameters that fit heads of 16 channels and make methods act early and often. */
const PARAMS: Record<string, MethodSpec['params']> = {
	kivi: { group: 16, residual: 16 }, 'svd-truncation': { rankK: 6, rankV: 9 }, snapkv: { window: 8 }, quest: { page: 8 }
};

/** A method with its presets, but for what would not fit the tiny model. */
export function tinySpec(method: string): MethodSpec {
	return { method, params: PARAMS[method] ?? {} };
}

/** A list in runs of at most `most`: a run of the lab takes no more than so many arms. */
export const inRuns = <T>(list: readonly T[], most = 20): T[][] =>
	Array.from({ length: Math.ceil(list.length / most) }, (_, i) => list.slice(i * most, (i + 1) * most));
