/**
 * Data that was computed for one model and lies in its folder: `calibration/NAME.json`, arrays as
 * base64 of halves, and the fingerprint of the model that they belong to.
 */
import { base64, unbase64 } from '$lib/documents/recording.ts';
import type { Shipped } from '$lib/methods/define.ts';
import { fromHalf, toHalf } from '$lib/numerics/half.ts';

/** The texts that numbers were computed from: `count` seeds from `first` on of each task with these options. */
export interface ShippedTexts {
	tasks: Record<string, Record<string, number>>;
	seeds: { first: number; count: number };
	texts: number;
	/** Of all texts together. */
	tokens: number;
}

export interface ShippedFile {
	version: 1;
	name: string;
	/** `modelFingerprint` of the model that the numbers were computed with. */
	fingerprint: string;
	/** Words for the reader: from what the numbers were computed. */
	made: string;
	texts?: ShippedTexts;
	arrays: Record<string, string>;
}

export const shippedFile = (name: string): string => `calibration/${name}.json`;

/** Throws RangeError for numbers that halves do not hold. */
export function packShipped(name: string, fingerprint: string, made: string, arrays: Readonly<Record<string, ArrayLike<number>>>, texts?: ShippedTexts): ShippedFile {
	const packed = Object.entries(arrays).map(([key, numbers]) => {
		const halves = toHalf(numbers);
		if (!fromHalf(halves).every(Number.isFinite)) throw new RangeError(`${name}: ${key} has numbers beyond ±65504, which halves do not hold`);
		return [key, base64(new Uint8Array(halves.buffer))];
	});
	return { version: 1, name, fingerprint, made, ...(texts ? { texts } : {}), arrays: Object.fromEntries(packed) };
}

/** Throws Error with a sentence for the reader when the file is damaged or belongs to another model. */
export function unpackShipped(json: unknown, name: string, model: { name: string; fingerprint: string }): Shipped {
	const file = json as Partial<ShippedFile> | null;
	if (typeof file !== 'object' || file === null || file.version !== 1 || file.name !== name || typeof file.arrays !== 'object' || file.arrays === null) {
		throw new Error(`${shippedFile(name)} is damaged: it does not hold statistics as they are shipped`);
	}
	if (file.fingerprint !== model.fingerprint) {
		throw new Error(`statistics belong to another model: ${shippedFile(name)} was made for a model with the fingerprint ${file.fingerprint}, ${model.name} has ${model.fingerprint}`);
	}
	return Object.fromEntries(Object.entries(file.arrays).map(([key, text]) => {
		const bytes = unbase64(String(text));
		return [key, fromHalf(new Uint16Array(bytes.slice().buffer))];
	}));
}
