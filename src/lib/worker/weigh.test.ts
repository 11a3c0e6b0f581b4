import { expect, it } from 'vitest';
import { HF_RANDOM, randomLlama } from '$lib/model/random-llama.ts';
import { weigh, type WeighRequest } from './weigh.ts';

const config = {
	architectures: ['LlamaForCausalLM'], vocab_size: 49152, hidden_size: 576, intermediate_size: 1536, num_hidden_layers: 30,
	num_attention_heads: 9, num_key_value_heads: 3, max_position_embeddings: 8192, tie_word_embeddings: true
};
const gpu = (info: Partial<GPUAdapterInfo>, limits: object = { maxBufferSize: 2 ** 31, maxStorageBufferBindingSize: 2 ** 31 }) => ({
	requestAdapter: async () => ({ info: { vendor: 'nvidia', architecture: 'ampere', description: '', ...info }, limits })
}) as unknown as GPU;
const request = { config, rows: 5, context: 400 };

it('weighs every format where the graphics device keeps it, and says what fits', async () => {
	const { device, choices, layers, context } = await weigh(request, gpu({}));
	expect({ layers, context }).toEqual({ layers: 30, context: 8192 });
	expect(device).toMatchObject({ backend: 'webgpu', maxBuffer: 2 ** 31 });
	expect(choices.map(({ format }) => format)).toEqual(['f32', 'f16', 'int8', 'int4']);
	const weights = choices.map(({ need }) => need.weights);
	expect(weights).toEqual([...weights].sort((a, b) => b - a));
	// 134.5 M weights.
	expect(weights[0] / 4e6).toBeCloseTo(134.5, 0);
	expect(choices.every(({ verdict }) => verdict.fits)).toBe(true);
});

it('refuses what one buffer cannot hold', async () => {
	const { choices } = await weigh(request, gpu({}, { maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 100_000_000 }));
	expect(choices.map(({ verdict }) => verdict.fits)).toEqual([false, true, true, true]);
});

it('weighs one format on wasm, where all are the same', async () => {
	for (const here of [undefined, gpu({ vendor: 'google', architecture: 'swiftshader' })]) {
		const { device, choices } = await weigh(request, here);
		expect(device.backend).toBe('wasm');
		expect(choices.map(({ format }) => format)).toEqual(['f32']);
	}
	expect((await weigh({ ...request, backend: 'webgpu' }, gpu({ vendor: 'google' }))).device.backend).toBe('webgpu');
	expect((await weigh({ ...request, backend: 'cpu' }, gpu({}))).device.backend).toBe('cpu');
});

it('needs no more than the context that the model has, and says what cannot be run', async () => {
	const [long, whole] = await Promise.all([1e6, 8192].map((context) => weigh({ ...request, context })));
	expect(long.choices[0].need.cache).toBe(whole.choices[0].need.cache);
	await expect(weigh({ ...request, config: { ...config, architectures: ['MambaForCausalLM'] } })).rejects.toThrow(/its architecture is MambaForCausalLM/);
});

it('counts the embedding as it is stored', async () => {
	const working = async (request: Partial<WeighRequest>) => (await weigh({ rows: 1, context: 64, ...request }, gpu({}))).choices[0].need.working;
	const numbers = config.vocab_size * config.hidden_size;
	const halves = await working({ config });
	expect((await working({ config: { ...config, torch_dtype: 'float32' } })) - halves).toBe(2 * numbers);
	expect(await working({ config: { ...config, dtype: 'bfloat16' } })).toBe(halves);
	// Files say it themselves, whatever config.json states.
	const small = { ...config, vocab_size: 258, hidden_size: 24, intermediate_size: 20, num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2, dtype: 'float16' };
	const random = randomLlama(small, HF_RANDOM);
	const names = ['config.json', 'tokenizer.json', 'model.safetensors'];
	const files = Object.fromEntries(await Promise.all(names.map(async (name) => [name, new Blob([name.endsWith('json') ? JSON.stringify(await random.json(name)) : (await random.bytes(name))!])])));
	expect((await working({ files })) - (await working({ config: small }))).toBe(2 * 258 * 24);
});
