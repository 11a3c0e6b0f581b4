import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BILL_ITEMS, type BillItem } from '$lib/documents/trace.ts';
import { random, type Random } from '$lib/numerics/random.ts';
import { ArmCache } from './arm-cache.ts';
import { fullCacheBytes } from './bill.ts';
import { lowRankCodec } from './codecs/lowrank.ts';
import { uniformCodec } from './codecs/uniform.ts';
import { naiveBill, naiveEncode, naiveFlip, naiveOwner, order, type NaiveHead } from './naive.ts';
import { unpackExact, type LabelledPart } from './pack.ts';
import { randomArm, TINY } from './testing.ts';
import type { Codec, Which } from './types.ts';

const d = TINY.headDim;
const CODECS: Codec[] = [
	uniformCodec({ bits: 2, axis: 'token', group: 4 }),
	uniformCodec({ bits: 3, axis: 'token', group: 8, symmetric: true }),
	uniformCodec({ bits: 4, axis: 'channel', group: 3 }),
	uniformCodec({ bits: 5, axis: 'channel', group: 32, symmetric: true })
];

function itemsOf(parts: LabelledPart[]): Record<BillItem, number> {
	const items = Object.fromEntries(BILL_ITEMS.map((item) => [item, 0])) as Record<BillItem, number>;
	for (const part of parts) items[part.item] += part.array.byteLength;
	return items;
}

/** An arm and its naive twin, under the same random verbs. */
class Pair {
	readonly arm: ArmCache;
	readonly naive: NaiveHead[][];
	private encodes = false;
	private blocks = 0;
	private readonly guarded = [new Set<number>(), new Set<number>()];
	/** Numbers of every token read, [layer][head][position], for `restore`. */
	private readonly read: { K: Float32Array; V: Float32Array }[][][];

	constructor(n: number) {
		this.arm = randomArm(n);
		this.naive = this.arm.layers.map((layer) => [0, 1].map((head) => {
			const [keys, values] = [layer.keys(head), layer.values(head)];
			return Array.from({ length: n }, (_, i) => ({
				position: i, K: keys.slice(i * d, (i + 1) * d), V: values.slice(i * d, (i + 1) * d),
				blockK: null, blockV: null, window: false, hidden: false, bias: 0
			}));
		}));
		this.read = this.naive.map((heads) => heads.map((slots) => slots.map(({ K, V }) => ({ K: K.slice(), V: V.slice() }))));
	}

	act(verb: string, layer: number, head: number, draw: Random): void {
		const cache = this.arm.layers[layer];
		const slots = this.naive[layer][head];
		const some = slots.map((_, i) => i).filter(() => draw.chance(0.3));
		const isGuarded = (slot: number) => this.guarded[layer].has(slots[slot].position);
		switch (verb) {
			case 'evict':
				cache.evict(head, some);
				this.keepOnly(layer, head, (slot) => !some.includes(slot) || isGuarded(slot));
				break;
			case 'keep':
				if (some.length === 0) return;
				cache.keep(head, some);
				this.keepOnly(layer, head, (slot) => some.includes(slot) || isGuarded(slot));
				break;
			case 'append': {
				const position = this.arm.tokens;
				this.naive.forEach((heads, l) => heads.forEach((list, h) => {
					const [K, V] = [0, 1].map(() => Float32Array.from({ length: d }, () => draw.normal()));
					this.arm.append(l, h, K, V, position);
					this.read[l][h].push({ K: K.slice(), V: V.slice() });
					list.push({ position, K, V, blockK: null, blockV: null, window: false, hidden: false, bias: 0 });
				}));
				break;
			}
			case 'encode': {
				const which: Which = draw.pick(['K', 'V']);
				// Runs and scattered sets alike.
				const from = draw.int(0, slots.length);
				const wanted = draw.chance(0.5) ? some : slots.map((_, i) => i).slice(from, from + 5);
				const exact = wanted.filter((slot) => !slots[slot][which === 'K' ? 'blockK' : 'blockV'] && !slots[slot].slow);
				if (exact.length === 0) return;
				const codec = draw.pick(CODECS);
				cache.encode(head, which, exact, codec);
				naiveEncode(slots, which, exact, codec);
				order.set(slots[exact[0]][which === 'K' ? 'blockK' : 'blockV']!, this.blocks++);
				this.encodes = true;
				break;
			}
			case 'merge': {
				const [into, ...from] = some.filter((slot) => !isGuarded(slot) && !slots[slot].slow);
				if (into === undefined || slots[into].blockV) return;
				const value = Float32Array.from({ length: d }, () => draw.normal());
				const bias = draw.chance(0.5) ? Math.fround(Math.log(1 + from.length)) : 0;
				cache.merge(head, [{ into, from, weights: from.map(() => 0.5), value, bias }]);
				Object.assign(slots[into], { V: value, bias });
				this.keepOnly(layer, head, (slot) => !from.includes(slot));
				break;
			}
			case 'mark':
				cache.mark(head, some, 'window');
				for (const slot of some) slots[slot].window = true;
				break;
			case 'hide':
				cache.hide(head, some);
				for (const slot of some) slots[slot].hidden = true;
				break;
			case 'offload':
			case 'fetch':
				cache[verb](head, some);
				for (const slot of some) slots[slot].slow = verb === 'offload';
				break;
			case 'restore': {
				const gone = this.read[layer][head].map((_, position) => position).filter((position) => !slots.some((slot) => slot.position === position) && draw.chance(0.5));
				const all = (which: Which) => Float32Array.from(gone.flatMap((position) => [...this.read[layer][head][position][which]]));
				cache.restore(head, { positions: Int32Array.from(gone), keys: all('K'), values: all('V') });
				for (const position of gone) {
					const { K, V } = this.read[layer][head][position];
					slots.push({ position, K: K.slice(), V: V.slice(), blockK: null, blockV: null, window: false, hidden: false, bias: 0 });
				}
				slots.sort((a, b) => a.position - b.position);
				break;
			}
			case 'share': {
				const which: Which = draw.pick(['K', 'V']);
				const [block, from] = which === 'K' ? ['blockK', 'fromK'] as const : ['blockV', 'fromV'] as const;
				const [l, h] = [draw.int(0, 1), draw.int(0, 1)];
				if (l === layer && h === head) return;
				const lends = (slot: number) => this.naive[l][h].find(({ position }) => position === slots[slot].position);
				const list = some.filter((slot) => !slots[slot].slow && lends(slot) && !lends(slot)![block]);
				cache.share(head, which, list, { layer: this.arm.layers[l], head: h });
				for (const slot of list) {
					const owner = naiveOwner(this.naive, lends(slot)!, which);
					if (owner !== slots[slot]) Object.assign(slots[slot], { [which]: owner[which], [from]: owner, [block]: null });
				}
				break;
			}
			case 'corrupt': {
				if (some.length === 0) return;
				const [which, slot, channel]: [Which, number, number] = [draw.pick(['K', 'V']), draw.pick(some), draw.int(0, d - 1)];
				const block = slots[slot][which === 'K' ? 'blockK' : 'blockV'];
				// Of exact numbers sign or mantissa, so that they stay finite and can be encoded.
				const bit = block ? draw.int(0, block.codec.bits - 1) : draw.pick([31, draw.int(0, 22)]);
				cache.corrupt(head, which, [{ slot, channel, bit }], { word: 'f32' });
				naiveFlip(slots[slot], which, channel, bit);
				break;
			}
			case 'protect': {
				const positions = some.slice(0, 2).map((slot) => slots[slot].position);
				cache.protect(positions, 'hand');
				for (const position of positions) this.guarded[layer].add(position);
				break;
			}
		}
	}

	private keepOnly(layer: number, head: number, stays: (slot: number) => boolean): void {
		this.naive[layer][head] = this.naive[layer][head].filter((_, slot) => stays(slot));
	}

	check(): void {
		const { arm } = this;
		arm.layers.forEach((layer, l) => this.naive[l].forEach((slots, head) => {
			expect([...layer.positions(head)]).toEqual(slots.map((slot) => slot.position));
			expect([...layer.keys(head)]).toEqual(slots.flatMap((slot) => [...slot.K]));
			expect([...layer.values(head)]).toEqual(slots.flatMap((slot) => [...slot.V]));
			expect([...layer.hidden(head)]).toEqual(slots.map((slot) => Number(slot.hidden || Boolean(slot.slow))));
			expect([...layer.bias(head)]).toEqual(slots.map((slot) => slot.bias));
		}));
		const bill = arm.bill();
		const parts = arm.pack();
		expect(bill.items).toEqual(itemsOf(parts));
		const naive = naiveBill(this.naive, this.encodes);
		expect(bill.items).toEqual(naive.all);
		expect({ ...naive.slow, ...bill.slow }).toEqual(naive.slow);
		expect(itemsOf(parts.filter(({ slow }) => slow))).toEqual(naive.slow);
		expect(bill.fast).toBe(bill.total - BILL_ITEMS.reduce((sum, item) => sum + naive.slow[item], 0));
		expect(bill.total).toBe(parts.reduce((sum, part) => sum + part.array.byteLength, 0));
		const sideBytes = (which: Which) => parts
			.filter((part) => part.which === which && (part.item === 'payload' || part.item === 'window'))
			.reduce((sum, part) => sum + part.array.byteLength, 0);
		expect([bill.payloadK, bill.payloadV]).toEqual([sideBytes('K'), sideBytes('V')]);
		this.checkNumbers(parts);
	}

	/** The packed arrays alone give the numbers back. */
	private checkNumbers(parts: LabelledPart[]): void {
		this.naive.forEach((heads, layer) => heads.forEach((slots, head) => {
			for (const which of ['K', 'V'] as const) {
				const mine = parts.filter((part) => part.layer === layer && part.head === head && part.which === which);
				const exact = slots.filter((slot) => !slot[which === 'K' ? 'blockK' : 'blockV'] && naiveOwner(this.naive, slot, which) === slot);
				const wanted = [false, true].flatMap((slow) => [false, true].flatMap((window) =>
					exact.filter((slot) => Boolean(slot.slow) === slow && (this.encodes && slot.window) === window)));
				const unpacked = mine.filter((part) => part.what === 'exact').flatMap((part) => [...unpackExact(part)]);
				expect(unpacked.length).toBe(d * wanted.length);
				expect(wanted.flatMap((slot) => [...slot[which]]).filter((x, i) => !(Math.abs(unpacked[i] - x) <= Math.abs(x) * 2 ** -11 + 2 ** -25))).toEqual([]);
				const side = which === 'K' ? 'blockK' : 'blockV';
				const blocks = [...new Set(slots.map((slot) => slot[side]))].filter((block) => block !== null).sort((a, b) => order.get(a)! - order.get(b)!);
				blocks.forEach((block, number) => {
					for (const slow of block.codec.keepRows ? [false, true] : [null]) {
						const stored = mine.filter((part) => part.what === 'block' && part.block === number && (slow === null || Boolean(part.slow) === slow));
						const live = slots.filter((slot) => slot[side] === block && (slow === null || Boolean(slot.slow) === slow));
						if (live.length === 0) continue;
						const rows = block.codec.keepRows ? live.length : block.numbers.length;
						const decoded = block.codec.decode({ codec: block.codec.id, rows, columns: d, parts: stored });
						// A bitmap says which rows live, where some are dead.
						const bitmap = mine.find((part) => part.what === 'live' && part.block === number)?.array;
						const alive = Array.from({ length: rows }, (_, row) => row).filter((row) => !bitmap || (bitmap[row >> 3] >> (row & 7)) & 1);
						expect(alive.flatMap((row) => [...decoded.slice(row * d, (row + 1) * d)])).toEqual(live.flatMap((slot) => [...slot[which]]));
					}
				});
			}
		}));
	}
}

const verbs = fc.array(fc.record({
	verb: fc.constantFrom('evict', 'keep', 'append', 'encode', 'encode', 'merge', 'mark', 'hide', 'protect', 'offload', 'fetch', 'restore', 'share', 'corrupt'),
	layer: fc.integer({ min: 0, max: 1 }),
	head: fc.integer({ min: 0, max: 1 }),
	seed: fc.integer()
}), { maxLength: 14 });

describe('the bill', () => {
	it('is n x layers x heads x channels x 4 bytes for the full cache, positions free', () => {
		const bill = randomArm(31).bill();
		expect(bill.total).toBe(31 * 2 * 2 * 8 * 2 * 2);
		expect(bill.total).toBe(fullCacheBytes(TINY, 31));
		expect(bill).toMatchObject({ ratio: 1, bitsPerNumber: 16, fast: bill.total, payloadK: bill.total / 2, payloadV: bill.total / 2 });
		expect(bill.items).toMatchObject({ positions: 0, indices: 0, state: 0, window: 0 });
	});

	it('equals the packed arrays and the naive twin after any verbs', () => {
		fc.assert(fc.property(fc.integer({ min: 1, max: 20 }), verbs, (n, list) => {
			const pair = new Pair(n);
			for (const { verb, layer, head, seed } of list) {
				pair.act(verb, layer, head, random(seed));
				pair.check();
			}
		}), { numRuns: 60 });
	});

	it('counts positions of heads with gaps and offsets of ragged layers', () => {
		const arm = randomArm(10);
		arm.layers[0].keep(0, [0, 1, 2]);
		expect(arm.bill().items).toMatchObject({ positions: 0, indices: 12 });
		arm.layers[0].keep(1, [0, 1, 9]);
		expect(arm.bill().items).toMatchObject({ positions: 6, indices: 0 });
		const long = randomArm(10, { ...TINY, context: 131072 });
		long.layers[0].keep(1, [0, 1, 9]);
		expect(long.bill().items.positions).toBe(12);
	});

	it('calls exact window slots window only beside an encoding', () => {
		const arm = randomArm(10);
		arm.layers[0].mark(0, [8, 9], 'window');
		expect(arm.bill().items.window).toBe(0);
		arm.layers[1].declareEncoding();
		expect(arm.bill().items.window).toBe(2 * d * 2 * 2);
		const other = randomArm(10);
		other.layers[0].mark(0, [8, 9], 'window');
		other.layers[1].encode(1, 'V', [0], CODECS[0]);
		expect(other.bill().items.window).toBe(2 * d * 2 * 2);
		expect(other.fork().bill()).toEqual(other.bill());
	});

	it('counts state that methods hold, and arrays that several layers share once', () => {
		const arm = randomArm(10);
		const bounds = new Uint16Array(32);
		for (const layer of arm.layers) layer.holdState('bounds', [{ item: 'state', array: bounds }]);
		expect(arm.bill().items.state).toBe(64);
		arm.layers[0].holdState('bounds', [{ item: 'state', array: new Uint16Array(16) }]);
		expect(arm.bill().items.state).toBe(64 + 32);
		expect(itemsOf(arm.pack())).toEqual(arm.bill().items);
		arm.layers[0].holdState('bounds', []);
		expect(arm.bill().items.state).toBe(64);
	});

	it('is the same for a projection with dropped rows and for its arrays', () => {
		const arm = randomArm(10);
		const basis = Float32Array.from({ length: 3 * d }, (_, i) => (Math.floor(i / 3) === i % 3 ? 1 : 0));
		const codec = lowRankCodec({ basis, columns: d, rank: 3, precision: 16 });
		for (const head of [0, 1]) arm.layers[0].encodeBeforeRope(head, [...Array(10).keys()], codec);
		arm.layers[0].evict(1, [2, 3]);
		expect(arm.bill().items).toEqual(itemsOf(arm.pack()));
		expect(arm.bill().items.codebooks).toBe(3 * d * 2);
		expect(arm.bill().payloadK).toBe(18 * 3 * 2 + 2 * 10 * d * 2);
	});
});

describe('protection', () => {
	it('holds against any verbs', () => {
		fc.assert(fc.property(verbs, fc.array(fc.integer({ min: 0, max: 11 }), { minLength: 1, maxLength: 4 }), (list, positions) => {
			const pair = new Pair(12);
			for (const layer of [0, 1]) {
				pair.arm.layers[layer].protect(positions, 'hand');
			}
			for (const { verb, layer, head, seed } of list) {
				const before = pair.arm.layers[layer].protectedSlots(head).reduce((a, b) => a + b, 0);
				try {
					actOnArmOnly(pair.arm, verb, layer, head, random(seed));
				} catch (error) {
					expect(error).toBeInstanceOf(RangeError);
				}
				expect(pair.arm.layers[layer].protectedSlots(head).reduce((a, b) => a + b, 0)).toBeGreaterThanOrEqual(before);
				for (const position of positions) {
					for (const l of pair.arm.layers) for (const h of [0, 1]) expect([...l.positions(h)]).toContain(position);
				}
			}
		}), { numRuns: 60 });
	});
});

/** Verbs without regard for what is protected. */
function actOnArmOnly(arm: ArmCache, verb: string, layer: number, head: number, draw: Random): void {
	const cache = arm.layers[layer];
	const some = Array.from({ length: cache.length(head) }, (_, i) => i).filter(() => draw.chance(0.4));
	if (verb === 'evict' || verb === 'hide') cache[verb](head, some);
	else if (verb === 'keep') cache.keep(head, some);
	else if (verb === 'merge') cache.merge(head, [{ into: some[0], from: some.slice(1), weights: some.slice(1), value: new Float32Array(d) }]);
	else if (verb === 'encode') {
		cache.replace(head, {
			positions: Int32Array.from(some, (slot) => cache.positions(head)[slot]), keys: new Float32Array(some.length * d),
			values: new Float32Array(some.length * d), bias: new Float32Array(some.length)
		});
	}
}
