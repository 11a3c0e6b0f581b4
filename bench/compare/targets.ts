/** What the engine is to reach, read off the measurements. */
import type { GroupResult, LineResult, MeasureResult } from './measure.ts';
import { ratio, words } from './stats.ts';

export interface Target {
	what: string;
	where: string;
	wanted: string;
	got: string;
	/** Null where it could not be measured. */
	met: boolean | null;
}

/** `software`: how far others are behind is asked for on the software adapter, how near the floor is on a graphics card. */
export function targetsOf(groups: GroupResult[], software: boolean): Target[] {
	const targets: Target[] = [];
	/** How many times as long `slower` takes as `faster`. */
	const times = (group: GroupResult, measure: MeasureResult, what: string, slower: string, faster: string, wanted: string, holds: (ratio: number) => boolean) => {
		const [a, b] = [slower, faster].map((label) => measure.lines.find((line) => line.label === label));
		if (!a || !b) return;
		const where = `${group.title}: ${measure.title}`;
		if (!measured(a) || !measured(b)) {
			targets.push({ what, where, wanted, got: 'not measured', met: null });
			return;
		}
		const got = ratio(a.rounds, b.rounds);
		targets.push({ what, where, wanted, got: words(got), met: holds(got.median) });
	};
	for (const group of groups) {
		for (const measure of group.measures) {
			const ours = 'Winnow';
			const decodes = measure.title.startsWith('decode, ');
			if (group.backend === 'webgpu' && decodes && !software) {
				for (const line of [ours, 'Winnow, nothing stored or read back']) times(group, measure, `transformers.js against ${line}`, 'transformers.js', line, '>= 1.5', (r) => r >= 1.5);
			}
			if (group.backend === 'webgpu' && decodes && software) {
				times(group, measure, 'faster than onnxruntime-web WebGPU', 'onnxruntime-web', ours, '>= 10', (r) => r >= 10);
				for (const stock of measure.lines.filter(({ label }) => label.startsWith('stock'))) times(group, measure, `faster than ${stock.label}`, stock.label, ours, '>= 20', (r) => r >= 20);
			}
			if (!software && measure.title.startsWith('decode beside its floor')) {
				for (const floor of measure.lines.slice(3)) times(group, measure, `against ${floor.label}`, 'nothing stored or read back', floor.label, '<= 3 against the slower', (r) => r <= 3);
			}
			if (group.backend === 'wasm') times(group, measure, 'as fast as onnxruntime-web WASM', 'onnxruntime-web', ours, '>= 1', (r) => r >= 1);
			if (group.backend === 'webgpu' && measure.title.startsWith('decode against arms')) times(group, measure, '8 arms against 1', '8 arms', '1 arm', '<= 3', (r) => r <= 3);
			if (group.backend === 'webgpu' && measure.title.includes('bits of the cache')) times(group, measure, 'cache of 4 bits against float32', '4 bits', '32 bits', '<= 1', (r) => r <= 1);
			if (measure.title === 'decode against context length') growth(group, measure, times);
		}
	}
	return targets;
}

/** From one context to the next the cost may not grow faster than the context. */
function growth(group: GroupResult, measure: MeasureResult, times: (group: GroupResult, measure: MeasureResult, what: string, slower: string, faster: string, wanted: string, holds: (ratio: number) => boolean) => void): void {
	measure.lines.slice(1).forEach((line, i) => {
		const before = measure.lines[i];
		const grown = parseInt(line.label) / parseInt(before.label);
		times(group, measure, `${line.label} against ${before.label}`, line.label, before.label, `<= ${grown}`, (r) => r <= grown);
	});
}

function measured({ failed, rounds }: LineResult): boolean {
	return !failed && rounds.length > 0;
}
