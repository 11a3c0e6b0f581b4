import { uniformCodec } from '$lib/cache/codecs/uniform.ts';
import type { Codec, LayerCache, Which } from '$lib/cache/types.ts';
import { bytesOfPair } from '../budget.ts';
import { defineMethod, type ParamSpec, type Params } from '../define.ts';
import { headsOf } from '../slots.ts';
import { codedBytes, exactSlots, TailMarks, wholeBlocks } from './tail.ts';

type Axis = 'token' | 'channel';

interface Side {
	which: Which;
	axis: Axis;
	codec: Codec;
}

const bits = (of: string): ParamSpec => ({
	kind: 'choice', default: 4, options: [2, 3, 4, 5, 6, 7, 8, 16], about: `Bits a number of ${of}; 16 leaves them as they are.`
});
const axis = (of: string, preset: Axis): ParamSpec => ({
	kind: 'choice', default: preset, options: ['token', 'channel'], about: `Which numbers of ${of} share a ruler: those of a token, or those of a channel.`
});

/** The sides that are encoded, and how. */
function sidesOf(params: Params): Side[] {
	return (['K', 'V'] as const).flatMap((which) => {
		const [width, along] = [params[`bits${which}`] as number, params[`axis${which}`] as Axis];
		if (width === 16) return [];
		return [{ which, axis: along, codec: uniformCodec({ bits: width, axis: along, group: params.group as number, symmetric: params.symmetric as boolean }) }];
	});
}

export default defineMethod({
	id: 'rtn',
	title: 'Round to nearest',
	subtitle: 'the plain quantizer: per token or per channel, in groups',
	family: 'quantization',
	paper: 'Textbook; the floor in every paper on quantized caches',
	confidence: 'Textbook. Errors on normal numbers agree with values that were computed for the card.',
	ours: 'Scale and zero are fp16 numbers, rounded outward before codes are taken, so that the ends of a group stay on the ruler.',
	failures: 'A few channels of keys are large for every token and spoil a ruler that they share with others: with keys in 4 bits and one ruler a token the perplexity of Qwen2.5-7B is reported to rise from 7.59 to 17661. Smaller models are more fragile; from 4 to 3 bits for keys there is often a cliff.',
	idea: 'Numbers that share a ruler: stretch the ruler from their least to their greatest and write down the nearest tick for each. All other quantizers answer two questions differently: which numbers share a ruler, and what is done to them first so that its ticks are not wasted.',
	acts: 'After the prompt; then each new token (per token), or each full block of tokens (per channel).',
	formula: String.raw`\hat x=s\cdot\operatorname{round}\!\Big(\frac{x-\min}{s}\Big)+\min,\qquad s=\frac{\max-\min}{2^b-1}`,
	bytes: 'b bits a number, and for each group 2 bytes of scale and, unless symmetric, 2 bytes of zero: b + 32/G bits. Per channel, up to G - 1 tokens wait in fp16.',
	sources: ['https://github.com/jy-yuan/KIVI', 'https://github.com/ikawrakow/ik_llama.cpp/issues/1509'],
	params: {
		bitsK: bits('keys'),
		bitsV: bits('values'),
		axisK: axis('keys', 'token'),
		axisV: axis('values', 'token'),
		group: { kind: 'int', default: 32, min: 1, max: 1024, about: 'Numbers that share a ruler, counted along the channels of a token or the tokens of a channel.' },
		symmetric: { kind: 'boolean', default: false, about: 'A ruler about zero, without a stored zero; it wastes a code and any lopsidedness.' }
	},
	size: { params: ['bitsK', 'bitsV'] },
	bytesOfHead(params, { headDim: d }) {
		const group = params.group as number;
		const exact = bytesOfPair(d) / 2;
		const sides = sidesOf(params).map(({ axis: along, codec }) => ({ rows: along === 'channel' ? group : 1, block: codedBytes(codec, along === 'channel' ? group : 1, d) }));
		if (sides.length === 0) return null;
		return (slots) => sides.reduce((sum, { rows, block }) => sum + Math.floor(slots / rows) * block + (slots % rows) * exact, (2 - sides.length) * slots * exact);
	},
	needs: () => ({}),
	start(_context, params) {
		const group = params.group as number;
		const sides = sidesOf(params);
		const tail = new TailMarks(sides.map((each) => each.which));
		const act = (layer: LayerCache) => {
			if (sides.length === 0) return;
			for (const head of headsOf(layer)) {
				for (const { which, axis: along, codec } of sides) {
					const open = exactSlots(layer, head, which);
					const blocks = along === 'channel' ? wholeBlocks(open, group) : open.length ? [open] : [];
					for (const slots of blocks) layer.encode(head, which, slots, codec);
				}
			}
			tail.update(layer);
		};
		return {
			prefilled(layer) {
				if (sides.length) layer.declareEncoding();
				act(layer);
			},
			appended: act
		};
	}
});
