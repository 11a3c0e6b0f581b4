/** Engraved scales: where ticks stand, and how a handle moves along them. Pure. */
import { ticks as niceTicks, tickStep } from 'd3-array';

export interface Tick {
	value: number;
	/** 2 = labelled, 1 = middle, 0 = small. */
	rank: 0 | 1 | 2;
}

/** A tick where it stands, for Axis.svelte. */
export interface AxisTick extends Tick {
	x: number;
	/** Its number as printed, if it carries one. */
	text?: string;
	/** Where the number stands when not at `x`. */
	at?: number;
	anchor?: 'start' | 'middle' | 'end';
}

/**
 * Ticks of a linear scale of `length` pixels from `min` to `max`: labelled ones at least `apart`
 * pixels from each other, each step of them halved and cut in five when there is room.
 */
export function rulerTicks(min: number, max: number, length: number, apart = 72): Tick[] {
	if (!(max > min) || !(length > 0)) return [];
	const major = niceTicks(min, max, Math.max(1, Math.floor(length / apart)));
	if (major.length < 2) return major.map((value) => ({ value, rank: 2 as const }));
	const step = major[1] - major[0];
	const minorStep = ((step / 10) * length) / (max - min) >= 3.5 ? step / 10 : ((step / 5) * length) / (max - min) >= 4 ? step / 5 : step / 2;
	const from = Math.ceil(min / minorStep - 1e-9) + 0;
	const to = Math.floor(max / minorStep + 1e-9);
	const per = Math.round(step / minorStep);
	const ticks: Tick[] = [];
	for (let i = from; i <= to; i++) {
		const rank = i % per === 0 ? 2 : per % 2 === 0 && i % (per / 2) === 0 ? 1 : 0;
		ticks.push({ value: i * minorStep, rank });
	}
	return ticks;
}

/** A comfortable keyboard step for a range: a hundredth, rounded to 1, 2 or 5. */
export function keyStep(min: number, max: number): number {
	return tickStep(min, max, 100);
}

/** Where a key moves a handle; null when the key is not one of a slider's. */
export function sliderKey(key: string, value: number, min: number, max: number, step: number): number | null {
	const moves: Record<string, number> = {
		ArrowRight: value + step, ArrowUp: value + step, ArrowLeft: value - step, ArrowDown: value - step,
		PageUp: value + 10 * step, PageDown: value - 10 * step, Home: min, End: max
	};
	if (!(key in moves)) return null;
	return Math.min(max, Math.max(min, moves[key]));
}

/** The pentagon that sits on every scale; its tip is at (x, y). */
export function pentagon(x: number, y: number, size = 14): string {
	const half = size / 2;
	return `M${x} ${y}l${-half} ${-size * 0.6}v${-size * 0.6}h${size}v${size * 0.6}z`;
}
