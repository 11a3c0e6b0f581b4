import { describe, expect, it } from 'vitest';
import type { WeightFormat } from '$lib/ops/index.ts';
import { FORMATS, hasRoom, judge, smallerChoice, type Device } from './fits.ts';

const GB = 2 ** 30;
const need = (total: number, largest = total / 10) => ({ weights: total, cache: 0, working: 0, total, largest });
const device = (change: Partial<Device> = {}): Device => ({ backend: 'webgpu', maxBuffer: 2 * GB, maxBinding: GB, memory: 8 * GB, ...change });

describe('a model fits', () => {
	it('when its largest tensor and all of it have room', () => {
		expect(judge(need(GB), device())).toEqual({ fits: true, tight: false });
		expect(judge(need(12 * GB, GB / 2), device())).toEqual({ fits: true, tight: false });
		expect(judge(need(3 * GB, GB / 2), device({ memory: 4 * GB }))).toEqual({ fits: true, tight: true });
		expect(judge(need(3 * GB), device({ backend: 'wasm' }))).toEqual({ fits: true, tight: true });
		expect(judge(need(20 * GB), device({ backend: 'cpu', memory: null }))).toEqual({ fits: true, tight: false });
	});

	it('not, when a limit is passed, and which one', () => {
		expect(judge(need(4 * GB, 1.5 * GB), device())).toEqual({ fits: false, why: 'tensor', needs: 1.5 * GB, has: GB });
		expect(judge(need(5 * GB), device({ backend: 'wasm' }))).toMatchObject({ fits: false, why: 'wasm', has: 4 * GB });
		expect(judge(need(5 * GB, GB / 2), device({ memory: 4 * GB }))).toMatchObject({ fits: false, why: 'memory', has: 4 * GB });
		// Only graphics devices limit one tensor.
		expect(judge(need(3.9 * GB, 3 * GB), device({ backend: 'wasm' })).fits).toBe(true);
	});

	it('in a smaller format where there is one', () => {
		const weighed = (bytes: Record<WeightFormat, number>, at = device({ memory: 4 * GB })) =>
			FORMATS.map((format) => ({ format, need: need(bytes[format]), verdict: judge(need(bytes[format]), at) }));
		const choices = weighed({ f32: 9 * GB, f16: 4.5 * GB, int8: 2.5 * GB, int4: 1.4 * GB });
		expect(smallerChoice(choices, 'f32')?.format).toBe('int8');
		expect(smallerChoice(choices, 'int8')?.format).toBe('int4');
		expect(smallerChoice(choices, 'int4')).toBeNull();
		expect(smallerChoice(weighed({ f32: 90 * GB, f16: 45 * GB, int8: 25 * GB, int4: 14 * GB }), 'f32')).toBeNull();
	});
});

it('a download has room when the browser allows it, or does not say', () => {
	expect(hasRoom(100, { used: 900, quota: 1000 })).toBe(true);
	expect(hasRoom(101, { used: 900, quota: 1000 })).toBe(false);
	expect(hasRoom(1e12, { used: null, quota: null })).toBe(true);
});
