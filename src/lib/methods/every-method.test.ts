/** What must hold for every method of the registry, and for stacks of them. */
import katex from 'katex';
import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import type { ArmCache } from '$lib/cache/arm-cache.ts';
import { methods } from './registry.ts';
import { needsOf, readMethodSpec } from './start.ts';
import { actingSpec as specOf } from './testing/acting.ts';
import { expectBillIsPacked, presented } from './testing/untouched.ts';
import { Rig } from './testing/views.ts';

const N = 70;
const STEPS = 20;

/** Parameters under which a method must do nothing at all. */
const idle: Record<string, object> = {
	rtn: { bitsK: 16, bitsV: 16 },
	'svd-truncation': { rankK: TINY.headDim, rankV: TINY.headDim },
	kivi: { residual: 1024, group: 32 },
	dms: { threshold: -1000 },
	simlayerkv: { threshold: 1 },
	'moment-kv-momentum': { capacity: 4096 },
	think: { ratio: 0 },
	'duo-attention': { head_ratio: 0 },
	'prompt-kv-probe': { cutoff: 1 },
	'conf-kv': { budget: { fraction: 1 }, int8: false }
};
const whole = (method: string) => idle[method] ?? { budget: { fraction: 1 } };

function run(rig: Rig, steps: number, check: (arm: ArmCache) => void = () => {}): ArmCache {
	rig.prefill();
	check(rig.arm);
	for (let step = 0; step < steps; step++) {
		rig.decode();
		check(rig.arm);
	}
	return rig.arm;
}

const untouched = run(new Rig(randomArm(N), []), STEPS);

describe.each([...methods.keys()])('%s', (id) => {
	it('describes itself', () => {
		const method = methods.get(id)!;
		for (const text of [method.title, method.subtitle, method.paper, method.confidence, method.idea, method.acts, method.formula, method.bytes]) {
			expect(text.length).toBeGreaterThan(2);
		}
		expect(() => katex.renderToString(method.formula, { throwOnError: true, strict: 'error' })).not.toThrow();
		expect(method.sources.length).toBeGreaterThan(0);
		for (const param of Object.values(method.params)) expect(param.about).toMatch(/\.$/);
	});

	it('leaves the cache as it is when it may keep everything', () => {
		const arm = run(new Rig(randomArm(N), [{ method: id, params: whole(id) }]), STEPS);
		expect(presented(arm)).toEqual(presented(untouched));
		expect(arm.bill().total).toBe(untouched.bill().total);
		expect(arm.records.filter(({ verb }) => !(id === 'rtn' && verb === 'encode'))).toEqual([]);
	});

	it('acts on this cache, and the bill is what the packed arrays weigh at every step', () => {
		const arm = run(new Rig(randomArm(N), [specOf(id)]), STEPS, expectBillIsPacked);
		expect(arm.records.length).toBeGreaterThan(0);
		expect(presented(arm)).not.toEqual(presented(untouched));
	});

	it.each([1, 2, 3])('runs on a prompt of %i tokens', (n) => {
		const arm = run(new Rig(randomArm(n), [specOf(id)]), 6, expectBillIsPacked);
		for (const layer of arm.layers) expect(layer.length(0)).toBeGreaterThan(0);
	});

	it('runs with a budget of one token', () => {
		if (!('budget' in methods.get(id)!.params)) return;
		run(new Rig(randomArm(30), [specOf(id, { budget: { tokens: 1 } })]), 6, expectBillIsPacked);
	});

	it('repeats itself exactly', () => {
		const twice = [0, 1].map(() => run(new Rig(randomArm(N), [specOf(id)]), 5));
		expect(presented(twice[0])).toEqual(presented(twice[1]));
	});

	it('respects protected tokens', () => {
		const rig = new Rig(randomArm(N), [specOf(id)]);
		for (const layer of rig.arm.layers) layer.protect([20, 21], 'pinned by hand');
		const arm = run(rig, 10);
		for (const layer of arm.layers) {
			for (let head = 0; head < layer.kvHeads; head++) {
				const positions = Array.from(layer.positions(head));
				expect(positions).toEqual(expect.arrayContaining([20, 21]));
				expect(layer.hidden(head)[positions.indexOf(20)]).toBe(0);
			}
		}
	});

	it('turns no key where positions are learned, or says beforehand that it would', () => {
		const choices = Object.entries(methods.get(id)!.params).filter(([, { kind }]) => kind === 'boolean');
		for (const spec of [specOf(id), specOf(id, Object.fromEntries(choices.map(([name]) => [name, true])))]) {
			const start = () => new Rig(randomArm(N, { ...TINY, ropeTheta: 0 }), [spec]);
			if (methods.get(id)!.rerotates?.(readMethodSpec(spec).params)) expect(start).toThrow('its keys cannot be turned');
			else for (const layer of run(start(), 5).layers) expect(layer.rotated).toBe(false);
		}
	});

	it('gives reasons that fit the slots', () => {
		const arm = run(new Rig(randomArm(N), [specOf(id)]), 3);
		for (const { decision } of arm.records) {
			if (!decision) continue;
			const n = decision.positions.length;
			expect(decision.scores).toHaveLength(n);
			expect(decision.meaning.length).toBeGreaterThan(5);
			for (const term of decision.terms ?? []) expect(term.values).toHaveLength(n);
			expect(decision.scores.every(Number.isFinite)).toBe(true);
		}
	});
});

describe('stacks', () => {
	const evictors = ['streaming-llm', 'h2o', 'snapkv', 'adakv', 'merging-press', 'momentkv', 'key-rerotation', 'knorm', 'chunk-press', 'cam-press'];
	const codecs = ['kivi', 'rtn', 'svd-truncation', 'think'];
	const pairs = evictors.flatMap((first) => [...codecs, 'quest', 'h2o', 'snapkv'].map((second) => [first, second]));
	it.each(pairs)('%s, then %s', (first, second) => {
		const stack = [specOf(first, { budget: { tokens: 40 } }), specOf(second)];
		const arm = run(new Rig(randomArm(N), stack), 9, expectBillIsPacked);
		for (const layer of arm.layers) for (let head = 0; head < layer.kvHeads; head++) expect(layer.length(head)).toBeLessThanOrEqual(40 + 9 + 12);
	});
	it.each(codecs.flatMap((first) => evictors.map((second) => [first, second])))('%s, then %s', (first, second) => {
		run(new Rig(randomArm(N), [specOf(first), specOf(second, { budget: { tokens: 40 } })]), 9, expectBillIsPacked);
	});
});

describe('needs', () => {
	it('asks for what the inner scorer of a wrapper needs', () => {
		const spec = readMethodSpec({ method: 'adakv', params: { scorer: { method: 'snapkv', params: { window: 8 } } } });
		expect(needsOf(spec)).toEqual({ queries: { last: 8 } });
		expect(needsOf(readMethodSpec({ method: 'adakv', params: { scorer: { method: 'h2o' } } }))).toEqual({ attentionSums: true });
	});
	it('asks for nothing that a method does not read', () => {
		expect(needsOf(readMethodSpec({ method: 'kivi' }))).toEqual({});
	});
});
