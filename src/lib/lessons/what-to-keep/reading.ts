/** What this lesson reads from a trace. Pure. */
import type { ArmTrace, HeadsProbe, Trace } from '$lib/documents/trace.ts';
import type { Measured, Outcome } from '../lesson.ts';

/** Digits of the answer that a text has right and in place; the full stop after them does not count. */
export function digitsRight(text: string, sentence: string): Measured {
	const answer = sentence.replace(/\D/g, '');
	const digits = /^\s*(\d*)/.exec(text)![1];
	// A dash stands where the model wrote no digit.
	const pieces = [...answer].map((digit, i) => ({ text: digits[i] ?? '\u2013', right: digits[i] === digit }));
	return { value: pieces.filter((piece) => piece.right).length, pieces };
}

export function outcome(trace: Trace): Outcome {
	const answer = trace.prompt.answer ?? '';
	return {
		reference: digitsRight(trace.reference.text, answer),
		arms: trace.arms.map((arm) => digitsRight(arm.text, answer))
	};
}

/** Positions of the prompt that hold the answer. */
export function needle(trace: Trace): [number, number] {
	return trace.prompt.needles[0] ?? [0, 0];
}

/** How many of all heads still hold every token of the answer after the prompt, and how many any. */
export function holders(trace: Trace, arm: ArmTrace): { all: number; some: number; of: number } {
	const [from, to] = needle(trace);
	let all = 0;
	let some = 0;
	let of = 0;
	for (const heads of arm.kept) {
		for (const kept of heads) {
			const have = new Set(kept);
			let count = 0;
			for (let p = from; p < to; p++) if (have.has(p)) count++;
			of++;
			if (count === to - from) all++;
			if (count > 0) some++;
		}
	}
	return { all, some, of };
}

/** Share of the heads that hold each prompt position after the prompt: [positions]. */
export function heldShare(trace: Trace, arm: ArmTrace): Float32Array {
	const share = new Float32Array(trace.prompt.ids.length);
	const heads = arm.kept.length * (arm.kept[0]?.length ?? 0);
	for (const layer of arm.kept) for (const kept of layer) for (const p of kept) if (p < share.length) share[p] += 1 / heads;
	return share;
}

/** Slots a head keeps: least, most. */
export function slots(arm: ArmTrace): { least: number; most: number } {
	const counts = arm.kept.flat().map((kept) => kept.length);
	return { least: Math.min(...counts), most: Math.max(...counts) };
}


/** Attention of every head on a range of positions: [layers x heads]. */
export function massOn(probe: HeadsProbe, side: 'full' | 'arm', [from, to]: [number, number]): Float32Array {
	const weights = probe[side];
	return Float32Array.from({ length: probe.massLost.length }, (_, row) => {
		let sum = 0;
		for (let p = from; p < to; p++) sum += weights[row * probe.positions + p];
		return sum;
	});
}
