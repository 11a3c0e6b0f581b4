/** Rotary positions of a model: the base and how its frequencies are stretched for longer texts. */
import { inverseFrequencies } from '$lib/numerics/rope.ts';
import { positive, refuse, word, type Stated } from './stated.ts';

export interface Rotary {
	theta: number;
	/**
	 * Slower turning for texts longer than those of training. `linear`: all frequencies over `factor`
	 * (Chen et al. 2023). `llama3`: the slow ones only, those that turn less than `low` times in
	 * `context` tokens, with a ramp up to `high` times (Llama 3.1, Dubey et al. 2024).
	 */
	scaling: { kind: 'linear'; factor: number } | { kind: 'llama3'; factor: number; low: number; high: number; context: number } | null;
}

/** Newer files keep all of it in `rope_parameters`, older ones theta at the top and the rest in `rope_scaling`. */
export function readRotary(stated: Stated): Rotary {
	const rope: Stated = { ...(stated.rope_scaling as object | null), ...(stated.rope_parameters as object | null) };
	const partial = stated.partial_rotary_factor ?? rope.partial_rotary_factor ?? 1;
	if (partial !== 1) refuse(`only a part of each head is rotated (partial_rotary_factor ${word(partial)}).`);
	if (stated.rope_interleaved === true) refuse('its rotary positions pair neighbouring channels (rope_interleaved).');
	return { theta: positive(rope.rope_theta ?? stated.rope_theta ?? 10000, 'rope_theta'), scaling: readScaling(rope) };
}

function readScaling(rope: Stated): Rotary['scaling'] {
	const number = (name: string) => positive(rope[name], `${name} of the rotary scaling`);
	const kind = word(rope.rope_type ?? rope.type ?? 'default');
	if (kind === 'default') return null;
	if (kind === 'linear') return { kind, factor: number('factor') };
	if (kind !== 'llama3') refuse(`its rotary positions are scaled by ${kind}; only linear and llama3 are supported.`);
	const [low, high] = [number('low_freq_factor'), number('high_freq_factor')];
	if (low >= high) refuse(`its rotary scaling is out of order: low_freq_factor ${low} is not below high_freq_factor ${high}.`);
	return { kind: 'llama3', factor: number('factor'), low, high, context: number('original_max_position_embeddings') };
}

/** Angle a position, for each pair of channels: [headDim / 2]. Zeros when nothing turns (learned positions). */
export function frequenciesOf({ rotary, headDim }: { rotary: Rotary | null; headDim: number }): Float64Array {
	const { theta, scaling } = rotary ?? { theta: 0, scaling: null };
	const plain = inverseFrequencies(headDim, theta);
	if (!scaling) return plain;
	if (scaling.kind === 'linear') return plain.map((frequency) => frequency / scaling.factor);
	const { factor, low, high, context } = scaling;
	return plain.map((frequency) => {
		const turns = (context * frequency) / (2 * Math.PI);
		// How much of the plain frequency stays: 0 for the slow, 1 for the fast.
		const share = Math.min(1, Math.max(0, (turns - low) / (high - low)));
		return frequency * (share + (1 - share) / factor);
	});
}
