import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { experiment, tinyLab } from './testing.ts';

const document = experiment({ arms: [{ stack: [{ method: 'snapkv', params: { window: 8 } }] }], generate: { tokens: 2 } });

it('a prompt stops between layers, leaves nothing behind, and can be read again', async () => {
	const lab = await tinyLab('cpu');
	const before = tf.memory().numTensors;
	const layers: number[] = [];
	await expect(lab.start(document, {
		pause: async (layer) => {
			layers.push(layer);
			if (layer === 1) throw new DOMException('stop', 'AbortError');
		}
	})).rejects.toMatchObject({ name: 'AbortError' });
	expect(layers).toEqual([0, 1]);
	expect(tf.memory().numTensors).toBe(before);

	const held = await lab.start(document, { pause: async (layer) => void layers.push(layer) });
	const steps = layers.length;
	await held.advance();
	// Steps are not held up: a run ended within one could not go on.
	expect(layers.length).toBe(steps);
	const free = await lab.start(document);
	await free.advance();
	expect(held.trace.arms[0].text).toBe(free.trace.arms[0].text);
	held.dispose();
	free.dispose();
	lab.dispose();
});
