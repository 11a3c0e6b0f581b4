/** Gets what methods asked for at their start: weights of the model and data shipped with it. */
import { DocumentError } from '$lib/documents/schema.ts';
import type { Shipped, WeightName } from '$lib/methods/define.ts';
import type { Requests } from '$lib/methods/requests.ts';
import { modelFingerprint, type Decoder } from '$lib/model/index.ts';
import { shippedFile, unpackShipped } from './calibrate/shipped.ts';

/** A JSON file of the model's folder; null when there is none. */
export type ModelJson = (file: string) => Promise<unknown>;

/**
 * Reads it once for all arms and hands it to them. Throws DocumentError at the place of the method
 * whose data the model does not have.
 */
export async function supply(decoder: Decoder, name: string, json: ModelJson, arms: readonly Requests[]): Promise<void> {
	const weights = new Map<WeightName, Float32Array[]>();
	for (const wanted of new Set(arms.flatMap((arm) => [...arm.weights]))) weights.set(wanted, await allLayers(decoder, wanted));
	const shipped = new Map<string, Shipped>();
	for (const [wanted, path] of arms.flatMap((arm) => [...arm.shipped])) {
		if (!shipped.has(wanted)) shipped.set(wanted, await shippedWith(decoder, name, json, wanted, path));
	}
	const supplies = {
		weight: (wanted: WeightName, layer: number) => weights.get(wanted)![layer],
		shipped: (wanted: string) => shipped.get(wanted)!
	};
	for (const arm of arms) arm.supply(supplies);
}

async function allLayers(decoder: Decoder, name: WeightName): Promise<Float32Array[]> {
	const layers: Float32Array[] = [];
	for (let layer = 0; layer < decoder.shape.layers; layer++) layers.push(await decoder.weight(name, layer));
	return layers;
}

async function shippedWith(decoder: Decoder, name: string, json: ModelJson, wanted: string, path: string): Promise<Shipped> {
	const file = await json(shippedFile(wanted));
	if (file === null) {
		throw new DocumentError(path, `expected a method that needs no statistics of the model: ${name} has no ${shippedFile(wanted)}`);
	}
	try {
		return unpackShipped(file, wanted, { name, fingerprint: modelFingerprint(decoder) });
	} catch (error) {
		throw new DocumentError(path, (error as Error).message);
	}
}
