import { uniformCodec } from '$lib/cache/codecs/uniform.ts';
import type { LayerCache } from '$lib/cache/types.ts';
import { bytesOfPair } from '../budget.ts';
import { defineMethod } from '../define.ts';
import { headsOf } from '../slots.ts';
import { codedBytes, exactSlots, TailMarks, wholeBlocks } from './tail.ts';

export default defineMethod({
	id: 'kivi',
	title: 'KIVI',
	subtitle: 'keys per channel, values per token, an exact tail',
	family: 'quantization',
	paper: 'Liu et al., KIVI: A Tuning-Free Asymmetric 2bit Quantization for KV Cache, ICML 2024',
	confidence: 'Follows the official code as described on its card; it has not been compared with that code by running it.',
	ours: 'The default tail is 32 tokens, published is 128, since texts here are short. A group whose numbers are all equal has step 0 and is rebuilt as that number.',
	failures: 'Long reasoning suffers at 2 bits: Qwen3-8B is reported to fall from 66.0 to 52.3 on AIME25 with 32K written tokens.',
	idea: 'Keys have a few channels that are large for every token; values have not. So keys get one ruler a channel, over a block of tokens, and an outlier channel spoils no other; values get one ruler a token. The newest tokens stay exact until a block of them is complete.',
	acts: 'After the prompt; then keys whenever the exact tail is full, and one value token at every step.',
	formula: String.raw`\hat K_{\cdot c}=Q_b(K_{\cdot c})\ \text{per channel},\qquad \hat V_{t\cdot}=Q_b(V_{t\cdot})\ \text{per token}`,
	bytes: 'b + 32/G bits a number in the encoded part (3 at 2 bits, G = 32); the tails, 0 to R - 1 tokens of keys and R of values, in fp16.',
	sources: ['https://arxiv.org/abs/2402.02750', 'https://github.com/jy-yuan/KIVI'],
	params: {
		bits: { kind: 'choice', default: 2, options: [2, 4], about: 'Bits a number of keys and of values.' },
		group: { kind: 'int', default: 32, min: 1, max: 512, about: 'Numbers that share a ruler: tokens for a channel of keys, channels for a token of values.' },
		residual: { kind: 'int', default: 32, min: 1, max: 1024, about: 'Length of the exact tail; a multiple of the group.' }
	},
	size: { params: ['bits'] },
	check(params) {
		const group = params.group as number;
		if ((params.residual as number) % group === 0) return null;
		return { param: 'residual', expected: `a multiple of the group, ${group}` };
	},
	bytesOfHead(params, { headDim: d }) {
		const { bits, group, residual } = params as Record<string, number>;
		const block = codedBytes(uniformCodec({ bits, axis: 'channel', group }), group, d);
		const row = codedBytes(uniformCodec({ bits, axis: 'token', group }), 1, d);
		const exact = bytesOfPair(d) / 2;
		return (slots) => {
			const [keys, values] = [slots - (slots % residual), Math.max(0, slots - residual)];
			return (keys / group) * block + values * row + (2 * slots - keys - values) * exact;
		};
	},
	needs: () => ({}),
	start(_context, params) {
		const bits = params.bits as number;
		const group = params.group as number;
		const residual = params.residual as number;
		const keyCodec = uniformCodec({ bits, axis: 'channel', group });
		const valueCodec = uniformCodec({ bits, axis: 'token', group });
		const tail = new TailMarks(['K', 'V']);
		const act = (layer: LayerCache) => {
			for (const head of headsOf(layer)) {
				const keys = exactSlots(layer, head, 'K');
				const full = keys.length - (keys.length % residual);
				for (const slots of wholeBlocks(keys.subarray(0, full), group)) layer.encode(head, 'K', slots, keyCodec);
				const values = exactSlots(layer, head, 'V');
				const old = values.subarray(0, Math.max(0, values.length - residual));
				if (old.length) layer.encode(head, 'V', old, valueCodec);
			}
			tail.update(layer);
		};
		return {
			prefilled(layer) {
				layer.declareEncoding();
				act(layer);
			},
			appended: act
		};
	}
});
