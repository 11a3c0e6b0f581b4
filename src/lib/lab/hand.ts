/** What a reader's hand does to one arm: edits of the document as verbs, each just before its step. */
import type { ArmCache } from '$lib/cache/arm-cache.ts';
import { BY_HAND } from '$lib/cache/cells.ts';
import { positionsBefore } from '$lib/documents/edits.ts';
import type { Edit } from '$lib/documents/experiment.ts';
import { DocumentError } from '$lib/documents/schema.ts';
import { PROMPT_STEP, type ModelShape } from '$lib/documents/trace.ts';

type Layer = ArmCache['layers'][number];

/** Throws DocumentError at the place in the document for tokens, layers and heads that do not exist. */
export function checkEdits(edits: readonly Edit[], model: ModelShape, n: number, path: string): void {
	edits.forEach(({ step, act, positions, layer = 0, head = 0 }, j) => {
		const at = `${path}[${j}]`;
		const count = positionsBefore(n, step);
		const wrong = positions.findIndex((position) => position >= count);
		if (wrong >= 0) throw new DocumentError(`${at}.positions[${wrong}]`, `expected the position of a token that has been read by then, 0 to ${count - 1}, found ${positions[wrong]}`);
		if (layer >= model.layers) throw new DocumentError(`${at}.layer`, `expected a layer of ${model.name}, 0 to ${model.layers - 1}, found ${layer}`);
		if (head >= model.kvHeads) throw new DocumentError(`${at}.head`, `expected a KV head of ${model.name}, 0 to ${model.kvHeads - 1}, found ${head}`);
		if (act === 'restore' && step === PROMPT_STEP) throw new DocumentError(`${at}.step`, 'expected 0 or more: before the prompt is compressed nothing is gone');
	});
}

interface Circumstances {
	/** The full cache fed the arm's tokens; evicted numbers come from it. Needed from step 0 on. */
	full?: ArmCache;
	/** The prompt has been read in part: what would leave a head empty waits for the rest. */
	partly?: boolean;
}

export class Hand {
	readonly #edits: readonly (Edit & { path: string })[];

	constructor(edits: readonly Edit[], path: string) {
		this.#edits = edits.map((edit, j) => ({ ...edit, path: `${path}[${j}]` }));
	}

	/** Does what is to be done before this step. Throws DocumentError where a head would be left without a token. */
	act(cache: ArmCache, step: number, circumstances: Circumstances = {}): void {
		for (const edit of this.#edits) {
			if (edit.step !== step) continue;
			cache.begin(step, BY_HAND);
			for (const layer of cache.layers) {
				if (edit.layer !== undefined && edit.layer !== layer.layer) continue;
				for (let head = 0; head < layer.kvHeads; head++) {
					if (edit.head === undefined || edit.head === head) apply(edit, layer, head, circumstances);
				}
			}
		}
	}
}

function apply({ act, positions, path }: Edit & { path: string }, layer: Layer, head: number, { full, partly }: Circumstances): void {
	const named = new Set(positions);
	if (act === 'pin') layer.protect(positions, BY_HAND, head);
	if (act === 'pin' || act === 'restore') {
		if (full) bringBack(layer, head, named, full);
		return;
	}
	// The later word of the same hand counts: what it pinned before it may take away.
	if (act === 'evict') layer.unprotect(positions, head);
	const stays = layer.protectedSlots(head);
	const gone: number[] = [];
	layer.positions(head).forEach((position, slot) => !stays[slot] && named.has(position) === (act === 'evict') && gone.push(slot));
	if (gone.length === layer.length(head)) {
		if (partly) return;
		throw new DocumentError(path, `expected at least one token to stay in every head; none would in layer ${layer.layer}, KV head ${head}`);
	}
	layer.evict(head, gone);
}

/** Restores what is not there, exact, as the full cache has it. */
function bringBack(layer: Layer, head: number, named: ReadonlySet<number>, full: ArmCache): void {
	const present = new Set(layer.positions(head));
	const missing = [...named].filter((position) => !present.has(position)).sort((a, b) => a - b);
	if (missing.length === 0) return;
	layer.restore(head, full.layers[layer.layer].numbersAt(head, missing));
	if (layer.rotated) layer.rerotate(head);
}
