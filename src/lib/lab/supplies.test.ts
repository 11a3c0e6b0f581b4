import { describe, expect, it } from 'vitest';
import { Requests } from '$lib/methods/requests.ts';
import { modelFingerprint } from '$lib/model/index.ts';
import { packShipped } from './calibrate/shipped.ts';
import { supply } from './supplies.ts';
import { TINY, tinyLab } from './testing.ts';

describe('supplies', () => {
	it('hand out the weights that were asked for, and no others, with the same numbers on every backend', async () => {
		const found: Float32Array[] = [];
		for (const backend of ['cpu', 'wasm'] as const) {
			const { loaded, model, json } = await tinyLab(backend);
			const requests = new Requests();
			const output = requests.askWeights('o_proj');
			expect(() => output(0)).toThrow('o_proj was asked for, but is there only when the prompt is read');
			await supply(loaded.decoder, model.name, json, [requests]);
			expect(output(1)).toHaveLength(TINY.hidden_size * TINY.num_attention_heads * TINY.head_dim);
			expect(() => new Requests().askWeights('q_proj')(0)).toThrow(RangeError);
			found.push(output(1));
			loaded.dispose();
		}
		expect(found[0]).toEqual(found[1]);
	});

	it('hand out shipped data as halves, once for all arms, and refuse what is not there or not of this model', async () => {
		const { loaded, model } = await tinyLab('wasm');
		const filters = [1, -0.5, 1 / 3];
		const own = packShipped('q-filters', modelFingerprint(loaded.decoder), 'a test', { filters });
		let reads = 0;
		const supplied = async (file: unknown) => {
			const arms = [new Requests(), new Requests()];
			const data = arms.map((arm, i) => arm.askShipped('q-filters', `arms[${i}].stack[0]`));
			await supply(loaded.decoder, model.name, async () => (reads++, file), arms);
			return data.map((each) => each().filters);
		};
		const [first, second] = await supplied(JSON.parse(JSON.stringify(own)));
		expect(reads).toBe(1);
		expect(second).toBe(first);
		filters.forEach((x, i) => expect(Math.abs(first[i] - x)).toBeLessThan(2 ** -12));
		const refused = (file: unknown) => expect(supplied(file)).rejects;
		await refused(null).toThrow('arms[0].stack[0]: expected a method that needs no statistics of the model: random has no calibration/q-filters.json');
		await refused({ ...own, fingerprint: '00000000' }).toThrow('arms[0].stack[0]: statistics belong to another model: calibration/q-filters.json was made for a model with the fingerprint 00000000');
		await refused({ ...own, name: 'head-patterns' }).toThrow('calibration/q-filters.json is damaged');
		await refused([1, 2]).toThrow('is damaged');
		loaded.dispose();
	});

	it('take the same model for the same whatever its format, and another for another', async () => {
		const prints: string[] = [];
		for (const backend of ['cpu', 'wasm'] as const) {
			const lab = await tinyLab(backend);
			prints.push(modelFingerprint(lab.loaded.decoder));
			lab.dispose();
		}
		const other = await tinyLab('wasm', { ...TINY, vocab_size: 321 });
		expect(prints[0]).toBe(prints[1]);
		expect(modelFingerprint(other.loaded.decoder)).not.toBe(prints[0]);
		other.dispose();
	});
});
