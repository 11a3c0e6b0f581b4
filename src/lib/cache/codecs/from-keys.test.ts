import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '../testing.ts';
import { fromKeysCodec } from './from-keys.ts';

const d = TINY.headDim;
const identity = Array.from({ length: d * d }, (_, at) => (at % (d + 1) === 0 ? 1 : 0));
const raised = [...identity, ...new Array<number>(d).fill(0.5)];

describe('values from keys', () => {
	it('stores the map and nothing else, once for all blocks', () => {
		const { layers: [layer] } = randomArm(12);
		const codec = fromKeysCodec(raised, d);
		const payload = codec.encode(new Float32Array(3 * d), 3, d);
		expect(payload.parts.map(({ item, array }) => [item, array.byteLength])).toEqual([['codebooks', (d + 1) * d * 2]]);
		expect(codec.keepRows!(payload, [0, 2])).toMatchObject({ rows: 2, parts: payload.parts });
		layer.encode(0, 'V', [1, 2], codec);
		layer.encode(0, 'V', [5], codec);
		expect(layer.values(1)).toEqual(randomArm(12).layers[0].values(1));
	});

	it('follows the key before rotation, wherever the slot stands', () => {
		const { layers: [layer], rope } = randomArm(12);
		layer.encode(0, 'V', [3, 7], fromKeysCodec(raised, d));
		layer.evict(0, [0, 3]);
		const before = layer.values(0).slice(5 * d, 6 * d);
		const key = rope.rotate(layer.keys(0).slice(5 * d, 6 * d), [-7], d);
		before.forEach((x, c) => expect(x).toBeCloseTo(key[c] + 0.5, 6));
		layer.rerotate(0);
		layer.values(0).slice(5 * d, 6 * d).forEach((x, c) => expect(x).toBeCloseTo(before[c], 5));
	});

	it('refuses a map or a block that does not fit', () => {
		expect(() => fromKeysCodec(identity.slice(1), d)).toThrow(RangeError);
		expect(() => fromKeysCodec(identity, d).encode(new Float32Array(d), 1, d - 1)).toThrow(RangeError);
		expect(() => fromKeysCodec(identity, d).encode(new Float32Array(0), 0, d)).toThrow(RangeError);
	});
});
