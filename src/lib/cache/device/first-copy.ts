/**
 * Keys or values of all rows of a layer as they are at the start. On WebGPU the prompt that the rows
 * share goes up once and is dealt out there; what is not the prompt's is written afterwards.
 */
import * as tf from '@tensorflow/tfjs-core';
import { gatherSlots, persistentFrom } from '$lib/ops/index.ts';
import type { HeadStore } from '../head-store.ts';
import type { Which } from '../types.ts';

export interface FirstCopy {
	/** [rows, kvHeads, capacity, headDim]; 0 where nothing is. */
	tensor: tf.Tensor;
	/** Slots that are not in it yet, by head. */
	left: number[][];
}

/** `placed`: the slots of each head that have a place below `capacity`. */
export function firstCopy(heads: HeadStore[], rows: number, capacity: number, which: Which, placed: number[][]): FirstCopy {
	return tf.getBackend() === 'webgpu' && sharePrompt(heads, rows, which)
		? dealtOut(heads, rows, capacity, which, placed)
		: assembled(heads, rows, capacity, which, placed);
}

function sharePrompt(heads: HeadStore[], rows: number, which: Which): boolean {
	const kvHeads = heads.length / rows;
	return rows > 1 && heads[0].prompt(which).length > 0 && heads.every((head, index) => head.prompt(which) === heads[index % kvHeads].prompt(which));
}

function dealtOut(heads: HeadStore[], rows: number, capacity: number, which: Which, placed: number[][]): FirstCopy {
	const kvHeads = heads.length / rows;
	const { headDim } = heads[0];
	const size = heads[0].prompt(which).length;
	const prompt = new Float32Array(kvHeads * size);
	for (let head = 0; head < kvHeads; head++) prompt.set(heads[head].prompt(which), head * size);
	const index = new Int32Array(heads.length * capacity).fill(-1);
	const left = heads.map((head, i) => placed[i].filter((slot) => {
		const row = head.promptRow(slot, which);
		index[i * capacity + head.slots.columns.place[slot]] = row;
		return row < 0;
	}));
	const source = tf.tensor(prompt, [1, kvHeads, size / headDim, headDim]);
	const tensor = tf.keep(gatherSlots(source, index, new Int32Array(rows), capacity));
	source.dispose();
	return { tensor, left };
}

function assembled(heads: HeadStore[], rows: number, capacity: number, which: Which, placed: number[][]): FirstCopy {
	const { headDim } = heads[0];
	const numbers = new Float32Array(heads.length * capacity * headDim);
	heads.forEach((head, index) => {
		for (const slot of placed[index]) numbers.set(head.numbers(slot, which), (index * capacity + head.slots.columns.place[slot]) * headDim);
	});
	return { tensor: persistentFrom(numbers, [rows, heads.length / rows, capacity, headDim]), left: heads.map(() => []) };
}
