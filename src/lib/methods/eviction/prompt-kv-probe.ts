import type { LayerCache, PackedPart } from '$lib/cache/types.ts';
import { toHalf } from '$lib/numerics/half.ts';
import type { Random } from '$lib/numerics/random.ts';
import { defineMethod, type PromptText, type Reading, type Rope } from '../define.ts';
import { slotsWhere } from '../select.ts';
import { headsOf, rowsOf } from '../slots.ts';

const FILLER = ' the';
const OTHER = ' It was a long day and nothing happened. They went home, had some bread and sat down to rest.';

type Replacement = 'scaffold' | 'content' | 'other' | 'shuffle' | 'zero' | 'mask';

/** Which tokens are form, not content: the first `start` and the last `end`; all, where they leave nothing between. */
export interface Form {
	start: number;
	end: number;
}

/** `count` tokens of a text, over and over; those of the prompt itself where the text has none. */
function repeated(text: PromptText, words: string, count: number): number[] {
	const ids = text.encode(words);
	return Array.from({ length: count }, (_, i) => (ids.length > 0 ? ids[i % ids.length] : text.ids[i]));
}

/** The text that stands in for the prompt, as long as it. Nothing is read for "zero" and "mask". */
export function standIn(text: PromptText, replacement: Replacement, { start, end }: Form, random: Random): number[] | null {
	const { ids } = text;
	const n = ids.length;
	if (replacement === 'zero' || replacement === 'mask') return null;
	// Every text begins with the same token.
	if (replacement === 'other') return [...ids.slice(0, 1), ...repeated(text, OTHER, Math.max(0, n - 1))];
	const content = ids.slice(start, Math.max(start, n - end));
	const filler = replacement === 'shuffle' ? random.shuffle(content) : repeated(text, FILLER, content.length);
	return [...ids.slice(0, start), ...filler, ...ids.slice(start + content.length)];
}

/** Keys and values of all prompt tokens of one layer, by KV head, [n, headDim] each; keys stand at their positions. */
interface Numbers {
	keys: Float32Array[];
	values: Float32Array[];
}

/** Other numbers in the place of those of `slots`, at the same positions and angles; zeros where there are none. */
function splice(layer: LayerCache, head: number, slots: Int32Array, numbers: Numbers | null, rope: Rope): void {
	const d = layer.headDim;
	const [allPositions, allAngles] = [layer.positions(head), layer.rotaryPositions(head)];
	const [positions, angles] = [allPositions, allAngles].map((all) => Int32Array.from(slots, (slot) => all[slot]));
	const rows = (block: Float32Array | undefined) => (block ? rowsOf(block, positions, d) : new Float32Array(slots.length * d));
	const keys = rope.rotate(rows(numbers?.keys[head]), angles.map((angle, i) => angle - positions[i]), d);
	layer.evict(head, slots);
	layer.restore(head, { positions, angles, keys, values: rows(numbers?.values[head]) });
}

export default defineMethod({
	id: 'prompt-kv-probe',
	title: 'Probing the prompt’s cache',
	subtitle: 'which layers still read it, and its words or its form',
	family: 'eviction',
	paper: 'Probing the Prompt KV Cache: Where It Becomes Dispensable, 2026',
	confidence: 'Follows the abstract and the introduction of the paper; there is no code. That the shell is as long as the prompt is our reading.',
	ours: 'With "step" 0 the first token is written from the exchanged cache, too; in the paper it still comes from the clean one. Form is what stands at both ends of the prompt, as our models have no chat template. "other", "shuffle", "content" and "mask" are ours. Exchanged slots are exact, whatever a codec wrote there before, and tokens pinned by hand keep their own numbers.',
	failures: 'It is a question put to the model, not a compression: nothing gets smaller. In a model of few layers there may be no layers that no longer read the prompt.',
	idea: 'When, where and in what sense is the prompt’s cache needed? In the upper layers, after some tokens have been written, exchange its keys and values for those of an empty shell: the same form, neutral words. If the model goes on as before, these layers needed the form only. Zeros in the same places, or nothing at all, show what the form was good for.',
	acts: 'Once: after the prompt, or after so many written tokens.',
	formula: String.raw`(K,V)^{\ell}_{0\dots n-1}\leftarrow(K,V)^{\ell}_{0\dots n-1}(\text{shell}),\qquad \ell\ge\ell^*,\ \text{after }t\text{ tokens}`,
	bytes: 'As much as the full cache. Until the exchange the shell’s keys and values are held beside it, 4 d bytes a token in each layer from the cutoff on.',
	sources: ['https://arxiv.org/abs/2605.30574'],
	params: {
		cutoff: { kind: 'number', default: 0.5, min: 0, max: 1, step: 0.05, about: 'Share of the layers, from below, that keep the prompt’s own numbers; 1 changes nothing.' },
		step: { kind: 'int', default: 0, min: 0, max: 4096, about: 'Written tokens before the exchange.' },
		replacement: {
			kind: 'choice', default: 'scaffold', options: ['scaffold', 'content', 'other', 'shuffle', 'zero', 'mask'],
			about: 'What comes in: the shell; the shell in place of the content only; another text; the content in random order; zeros; or nothing, the slots are not read.'
		},
		form_start: { kind: 'int', default: 4, min: 0, max: 4096, about: 'First tokens of the prompt that are form.' },
		form_end: { kind: 'int', default: 4, min: 0, max: 4096, about: 'Last tokens of the prompt that are form.' }
	},
	needs: () => ({}),
	start(context, params) {
		const { text, model, random, promptTokens: n } = context;
		const from = Math.round((params.cutoff as number) * model.layers);
		if (from >= model.layers) return {};
		const replacement = params.replacement as Replacement;
		const form: Form = { start: Math.min(n, params.form_start as number), end: params.form_end as number };
		const ids = standIn(text, replacement, form, random);
		const reading: Reading | null = ids && context.reading({ ids, over: 'nothing', pairs: true });
		/** Of each layer until the exchange. */
		const waiting = new Map<number, Numbers | null>();

		function exchange(layer: LayerCache, numbers: Numbers | null, rope: Rope): void {
			waiting.delete(layer.layer);
			layer.holdState('stand-in', []);
			for (const head of headsOf(layer)) {
				const guarded = layer.protectedSlots(head);
				const inside = (position: number) => position < n && (replacement !== 'content' || (position >= form.start && position < n - form.end));
				const slots = slotsWhere(Array.from(layer.positions(head), (position, slot) => Number(inside(position) && !guarded[slot])));
				if (slots.length === 0) continue;
				if (replacement === 'mask') layer.hide(head, slots);
				else splice(layer, head, slots, numbers, rope);
			}
		}
		return {
			prefilled(layer, seen) {
				if (layer.layer < from) return;
				const view = reading && seen.reading(reading);
				const numbers = view && { keys: headsOf(layer).map((head) => view.keys(head)), values: headsOf(layer).map((head) => view.values(head)) };
				if (params.step === 0) return exchange(layer, numbers, seen.rope);
				waiting.set(layer.layer, numbers);
				const parts = numbers ? [...numbers.keys, ...numbers.values].map((block): PackedPart => ({ item: 'state', array: toHalf(block) })) : [];
				layer.holdState('stand-in', parts);
			},
			appended(layer, seen) {
				if (!waiting.has(layer.layer) || seen.position - n + 1 < (params.step as number)) return;
				exchange(layer, waiting.get(layer.layer)!, seen.rope);
			}
		};
	}
});
